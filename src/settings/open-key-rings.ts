import { join } from 'node:path'
import type { Database } from '../database/client.ts'
import { checkInstance } from '../database/instance.ts'
import type { EncryptedColumn } from './encrypted-columns.ts'
import { createEncryption } from './encryption.ts'
import { openKeyRing } from './key-ring.ts'
import { usesOldKey } from './reencrypt.ts'

export interface KeyRingsDeps {
  db: Database
  settingsDir: string
  /** From the environment, newest first; empty: the key files in `settingsDir`. */
  keys: { jwt: string[]; credentials: string[] }
  /** Every column with encrypted values. */
  columns: EncryptedColumn[]
  storageId: string
}

/**
 * Opens both key rings. Throws StartupError when the database belongs to other keys or another
 * storage.
 */
export async function openKeyRings({ db, settingsDir, keys, columns, storageId }: KeyRingsDeps) {
  const jwtRing = await openKeyRing(join(settingsDir, 'jwt.key'), keys.jwt)
  const jwtKeys = jwtRing.keys()
  const credentialsRing = await openKeyRing(join(settingsDir, 'credentials.key'), keys.credentials)
  const encryption = createEncryption(credentialsRing.keys)
  const checkKeys = () =>
    checkInstance(db, {
      jwtKeys,
      credentialsKeys: credentialsRing.keys(),
      storageId,
      isSettled: async () => !(await usesOldKey(db, encryption, columns)),
    })
  await checkKeys()
  return { jwtKeys, encryption, rotation: { encryption, columns, jwtRing, credentialsRing, checkKeys } }
}
