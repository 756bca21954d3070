import type { Database, Db } from '../database/client.ts'
import { aadFor, ENCRYPTED_SETTINGS } from './encrypted-columns.ts'
import type { Encryption } from './encryption.ts'

export interface StoredSetting {
  /**
   * Null: it is encrypted with a key that is not in the ring, or was tampered with. Never treated
   * as empty.
   */
  value: string | null
  changedAt: Date
}

export type SettingStore = ReturnType<typeof createSettingStore>

const aadOf = (name: string): string => aadFor(ENCRYPTED_SETTINGS, name)

/**
 * What operators stored at run time, one row per value; secrets are encrypted for their own row, so
 * that a moved ciphertext cannot be decrypted.
 */
export function createSettingStore({ db, encryption }: { db: Database; encryption: Encryption }) {
  function opened({ name, value }: { name: string; value: string }): string | null {
    try {
      return encryption.decrypt(value, aadOf(name))
    } catch {
      return null
    }
  }

  return {
    /** Returns all values whose names begin with `prefix`, by the rest of their names. */
    async read(prefix: string, from: Db = db): Promise<Map<string, StoredSetting>> {
      const rows = await from.setting.findMany({ where: { name: { startsWith: prefix } } })
      return new Map(
        rows.map((row) => [row.name.slice(prefix.length), { value: row.encrypted ? opened(row) : row.value, changedAt: row.changed_at }]),
      )
    },
    async write(tx: Db, name: string, value: string, { encrypted, by, at }: { encrypted: boolean; by: string; at: Date }): Promise<void> {
      const data = { value: encrypted ? encryption.encrypt(value, aadOf(name)) : value, encrypted, changed_by: by, changed_at: at }
      await tx.setting.upsert({ where: { name }, create: { name, ...data }, update: data })
    },
    async remove(tx: Db, name: string): Promise<void> {
      await tx.setting.deleteMany({ where: { name } })
    },
  }
}
