import { createHash } from 'node:crypto'
import { StartupError } from '../lib/errors.ts'
import type { Database } from './client.ts'

/** Returns a short hash of a key that names it without revealing it. */
export const keyFingerprint = (key: Buffer): string =>
  createHash('sha256').update('zinc key fingerprint').update(key).digest('hex').slice(0, 16)

interface InstanceFingerprint {
  /** Newest first; during a rotation the database still knows the old key. */
  jwtKeys: Buffer[]
  credentialsKeys: Buffer[]
  storageId: string
  /**
   * Whether everything is encrypted with the newest credentials key, so that the database may
   * forget the old one.
   */
  isSettled(): Promise<boolean>
}

/**
 * Refuses to start with keys or a storage that do not belong to this database: such an instance
 * would fail later, in ways that look like lost images or broken secrets. Throws StartupError (exit
 * status 2).
 */
export async function checkInstance(db: Database, { jwtKeys, credentialsKeys, storageId, isSettled }: InstanceFingerprint): Promise<void> {
  const facts = [
    {
      name: 'jwt_key',
      values: jwtKeys.map(keyFingerprint),
      remedy: 'Set the JWT_SECRET of the first instance, or `new,old` while rotating.',
    },
    {
      name: 'credentials_key',
      values: credentialsKeys.map(keyFingerprint),
      remedy:
        'Set the CREDENTIALS_KEY of the first instance, or `new,old` until `zinc keys rotate` says that the old one may go. If it is lost for good: zinc keys forget.',
    },
    {
      name: 'storage_id',
      values: [storageId],
      remedy: 'Set DATA_DIR (or the bucket) to the one that holds the images of this database.',
    },
  ]
  for (const { name, values, remedy } of facts) {
    const newest = values[0] ?? ''
    // Insert and read in one statement: of two concurrent first starts, the second reads the first
    // one's value.
    const [row] = await db.$queryRaw<{ value: string }[]>`
      insert into instance_property (name, value) values (${name}, ${newest}) on conflict (name) do update set value = instance_property.value returning value`
    if (!row || !values.includes(row.value)) {
      throw new StartupError('instance_mismatch', { property: name.replace('_', ' '), next: remedy }, { exitStatus: 2 })
    }
    if (row.value === newest || (name === 'credentials_key' && !(await isSettled()))) continue
    await db.instanceProperty.update({ where: { name }, data: { value: newest } })
    if (name === 'jwt_key') await noteTokenKey(db)
  }
}

/** Returns the id of this database's image storage; null before the first start. */
export async function knownStorageId(db: Database): Promise<string | null> {
  return (await db.instanceProperty.findUnique({ where: { name: 'storage_id' } }))?.value ?? null
}

const TOKEN_KEY_SINCE = 'jwt_key_since'

/** Records since when tokens are signed with the newest key: earlier ones need the old key. */
async function noteTokenKey(db: Database): Promise<void> {
  const value = new Date().toISOString()
  await db.instanceProperty.upsert({ where: { name: TOKEN_KEY_SINCE }, create: { name: TOKEN_KEY_SINCE, value }, update: { value } })
}

/** Returns when the token key was changed; null: never. */
export async function tokenKeySince(db: Database): Promise<Date | null> {
  const fact = await db.instanceProperty.findUnique({ where: { name: TOKEN_KEY_SINCE } })
  return fact && new Date(fact.value)
}
