import { setImmediate as breathe } from 'node:timers/promises'
import type { SchemaElement } from 'hyparquet'
import { fileWriter, ParquetWriter } from 'hyparquet-writer'
import { rawMembers } from '../../lib/raw-json.ts'
import { type Column, cellOf, PRECISION } from './export-columns.ts'

/** Rows that are encoded at a time: more would block the server for longer. */
const GROUP_ROWS = 1_000
/** Bytes of a DECIMAL with 38 digits. */
const DECIMAL_BYTES = 16

/** Writes records, each a JSON object as text, to a Parquet file. Returns how many. */
export async function writeParquet(path: string, columns: Column[], records: AsyncIterable<string>): Promise<number> {
  const writer = fileWriter(path)
  const file = new ParquetWriter({
    writer,
    schema: [{ name: 'root', num_children: columns.length }, ...columns.map(schemaOf)],
    createdBy: 'zinc',
  })
  let group = columns.map((): unknown[] => [])
  let rows = 0
  const flush = async () => {
    const count = group[0]?.length ?? 0
    if (count === 0) return
    const columnData = columns.map(({ name }, n) => ({ name, data: group[n]!, offsetIndex: false }))
    await file.write({ columnData, rowGroupSize: count })
    group = columns.map(() => [])
    await breathe()
  }
  for await (const record of records) {
    const values = rawMembers(record)
    for (const [n, column] of columns.entries()) group[n]!.push(cellOf(column, values.get(column.name)))
    rows++
    if (rows % GROUP_ROWS === 0) await flush()
  }
  await flush()
  await file.finish()
  return rows
}

function schemaOf({ name, type, scale }: Column): SchemaElement {
  const column = { name, repetition_type: 'OPTIONAL' } as const
  if (type === 'boolean') return { ...column, type: 'BOOLEAN' }
  if (type === 'date') return { ...column, type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } }
  if (type === 'time')
    return {
      ...column,
      type: 'INT64',
      converted_type: 'TIMESTAMP_MILLIS',
      logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
    }
  if (type === 'decimal')
    return {
      ...column,
      type: 'FIXED_LEN_BYTE_ARRAY',
      type_length: DECIMAL_BYTES,
      converted_type: 'DECIMAL',
      precision: PRECISION,
      scale,
      logical_type: { type: 'DECIMAL', precision: PRECISION, scale },
    }
  return { ...column, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } }
}
