import { join } from 'node:path'
import type { Command } from 'commander'
import { openDatabase } from '../database/client.ts'
import { tokenKeySince } from '../database/instance.ts'
import { tryAdvisoryLock } from '../database/locks.ts'
import { migrate } from '../database/migrate.ts'
import { BadRequestError, ConflictError } from '../lib/errors.ts'
import type { Services } from '../services.ts'
import { recordAudit, SYSTEM_ACTOR } from '../settings/audit-log.ts'
import { ENCRYPTED_COLUMNS } from '../settings/encrypted-columns.ts'
import { createEncryption } from '../settings/encryption.ts'
import { openKeyRing, rotateKeyFile } from '../settings/key-ring.ts'
import { countEncrypted, deleteEncrypted, reencryptAll, usesKey, usesOldKey } from '../settings/reencrypt.ts'
import type { Action, CommandContext } from './context.ts'
import { withDatabase } from './context.ts'

/** Image URLs are valid until the end of the month after next. */
const IMAGE_ADDRESS_DAYS = 92

export function addKeys(program: Command, action: Action): void {
  const keys = program.command('keys').description('manage the keys that encrypt credentials and sign tokens')
  keys
    .command('rotate')
    .description(
      're-encrypt every stored credential with the newest CREDENTIALS_KEY and show when old keys can be removed; adds a new key to a key file first',
    )
    .option('--tokens', 'also add a new key to the token key file; servers sign with it after their next start')
    .action(
      action(async ({ services: open, result, say, signal, log }, { tokens }: { tokens?: boolean }) => {
        const services = await open()
        const lock = await tryAdvisoryLock(services.databaseUrl, 'keys rotate', { log })
        if (!lock) throw new ConflictError('rotation_running')
        try {
          const done = await rotate(services, { tokens: tokens === true, say, signal })
          result({ status: done.unreadable.length > 0 ? 'partial' : 'success', data: done }, done.text.join('\n'))
          return done.unreadable.length > 0 ? 1 : 0
        } finally {
          await lock.release()
        }
      }),
    )
  keys
    .command('forget')
    .description('delete stored secrets whose CREDENTIALS_KEY is lost; enter them again on the settings page')
    .option('--yes', 'confirm that the key is lost')
    .action(
      action(async ({ config, log, result }, { yes }: { yes?: boolean }) => {
        const forgotten = await forget({ config, log }, { yes: yes === true })
        result(
          { status: 'success', data: { forgotten } },
          `${forgotten} stored secrets deleted. Start zinc and enter them again under Connection and Notifications. Users must set up two-factor authentication again.`,
        )
        return undefined
      }),
    )
}

/**
 * For a key that is lost for good: without the old key nothing starts, and what it has encrypted
 * cannot be decrypted.
 */
async function forget({ config, log }: Pick<CommandContext, 'config' | 'log'>, { yes }: { yes: boolean }): Promise<number> {
  const ring = await openKeyRing(join(config.dataDir, 'settings', 'credentials.key'), config.keys.credentials)
  return withDatabase({ config, log }, async (url) => {
    await migrate(url, { log })
    await using opened = new AsyncDisposableStack()
    const db = opened.adopt(openDatabase(url), (it) => it.$disconnect())
    const { newest, older } = createEncryption(ring.keys).prefixes()
    if (await usesKey(db, ENCRYPTED_COLUMNS, [newest, ...older])) throw new ConflictError('keys_valid')
    if (!yes) throw new BadRequestError('not_confirmed', { secrets: await countEncrypted(db, ENCRYPTED_COLUMNS) })
    return await deleteEncrypted(db, ENCRYPTED_COLUMNS)
  })
}

/**
 * Crash-safe, the next call resumes: a key file whose old key is still in use gets no further one.
 */
async function rotate(
  { db, rotation: { encryption, columns, credentialsRing, jwtRing, checkKeys } }: Services,
  { tokens, say, signal }: { tokens: boolean; say(line: string): void; signal: AbortSignal },
) {
  const resumed = await usesOldKey(db, encryption, columns)
  if (credentialsRing.file !== null && !resumed) {
    await rotateKeyFile(credentialsRing.file)
    say(`${credentialsRing.file} has a new key; every process uses it from now on.`)
  }
  let reencrypted = 0
  let unreadable: string[] = []
  // Repeated until nothing is found: a server may have encrypted a row with the old key at the same
  // moment.
  for (let count = 1; count > 0; reencrypted += count)
    ({ reencrypted: count, unreadable } = await reencryptAll(db, encryption, columns, signal))
  if (tokens && jwtRing.file !== null) await rotateKeyFile(jwtRing.file)
  await checkKeys()
  await recordAudit(db, { ...SYSTEM_ACTOR, action: 'keys.rotate', target: 'keys', fields: ['credentials', ...(tokens ? ['tokens'] : [])] })
  return { reencrypted, unreadable, text: [...credentialsText(), ...(await tokensText())] }

  function credentialsText(): string[] {
    const lines = [`${reencrypted} stored values are encrypted with the newest key.`]
    if (unreadable.length > 0)
      lines.push(`No available key can decrypt ${unreadable.join(', ')}. Add the key that encrypted them, or enter these values again.`)
    if (credentialsRing.file !== null) lines.push('The old key stays in the file as a spare. The next rotation removes it.')
    else if (credentialsRing.keys().length > 1) lines.push('The old CREDENTIALS_KEY is no longer needed: set only the new one.')
    else
      lines.push(
        'CREDENTIALS_KEY has only one key. To rotate it, set it to `new,old` (create a key with openssl rand -base64 32), restart, and run this again.',
      )
    return lines
  }

  async function tokensText(): Promise<string[]> {
    const since = await tokenKeySince(db)
    if (!since || (jwtRing.file === null && jwtRing.keys().length < 2)) return []
    const old = { created_at: { lt: since }, revoked_at: null, OR: [{ expires_at: null }, { expires_at: { gt: new Date() } }] }
    const edges = await db.edgeToken.findMany({ where: old, select: { name: true, expires_at: true } })
    const images = new Date(since.getTime() + IMAGE_ADDRESS_DAYS * 86_400_000)
    const endless = edges.some(({ expires_at }) => expires_at === null)
    const last = new Date(Math.max(images.getTime(), ...edges.map(({ expires_at }) => expires_at?.getTime() ?? 0)))
    return [
      `Tokens are signed with the newest key since ${since.toISOString()}. The old JWT_SECRET can be removed ${
        endless ? 'once the edge tokens that never expire have been replaced' : `after ${last.toISOString()}`
      }: image URLs use it until ${images.toISOString()}, and logins end within an hour of its removal.`,
      ...(edges.length > 0 ? [`To remove it earlier, replace these older edge tokens: ${edges.map(({ name }) => name).join(', ')}.`] : []),
    ]
  }
}
