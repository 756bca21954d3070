/**
 * A column with encrypted records. Code that encrypts something adds its column here and encrypts
 * for `aadFor(column, id)`.
 */
export interface EncryptedColumn {
  table: string
  /** The key column of the row. */
  id: string
  column: string
  /** A boolean column that says which rows are encrypted, where not all are. */
  flag?: string
}

/** What a record is bound to: moved to another row, it cannot be decrypted. */
export const aadFor = ({ table, column }: EncryptedColumn, id: string): string => `${table}.${column}.${id}`

export const ENCRYPTED_SETTINGS: EncryptedColumn = { table: 'setting', id: 'name', column: 'value', flag: 'encrypted' }
export const ENCRYPTED_TOKENS: EncryptedColumn = { table: 'zoho_token', id: 'id', column: 'access_token' }
export const ENCRYPTED_TOTP_SECRETS: EncryptedColumn = { table: 'second_factor', id: 'user_id', column: 'totp_secret' }
export const ENCRYPTED_WEBHOOK_SECRETS: EncryptedColumn = { table: 'webhook_endpoint', id: 'id', column: 'secret' }
export const ENCRYPTED_PREVIOUS_WEBHOOK_SECRETS: EncryptedColumn = { table: 'webhook_endpoint', id: 'id', column: 'previous_secret' }

/** All of them, for the rotation of the key and its loss, which deletes their rows. */
export const ENCRYPTED_COLUMNS = [
  ENCRYPTED_SETTINGS,
  ENCRYPTED_TOKENS,
  ENCRYPTED_TOTP_SECRETS,
  ENCRYPTED_WEBHOOK_SECRETS,
  ENCRYPTED_PREVIOUS_WEBHOOK_SECRETS,
]
