/**
 * A column that holds sealed records. Every room that seals something exports its column and seals for `aadFor(column, id)`;
 * src/encrypted.ts lists them all, and `zinc keys rotate` seals them anew.
 */
export interface EncryptedColumn {
  table: string
  /** The key column of the row. */
  id: string
  column: string
  /** A boolean column that says which rows are sealed, where not all are. */
  flag?: string
}

/** What a record is bound to: moved to another row, it does not open. */
export const aadFor = ({ table, column }: EncryptedColumn, id: string): string => `${table}.${column}.${id}`
