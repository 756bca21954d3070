import { members } from '../../lib/raw-json.ts'
import { toAmount } from '../verify/decimal.ts'

/** What a column contains; blank values are null in all but `text`. */
export type ColumnType = 'text' | 'boolean' | 'decimal' | 'time' | 'date' | 'json'
export interface Column {
  name: string
  type: ColumnType
  /** Digits after the point of a decimal. */
  scale: number
}

/** As many digits after the point as sums are calculated with; exchange rates may need more. */
const SCALE = 8
/** What a DECIMAL can have in all. */
export const PRECISION = 38
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/
const DATE = /^\d{4}-\d\d-\d\d$/
const ID = /(^|_)id$/
const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/** A number as whole digits and the place of the point, exactly as it was written. */
export function readNumber(raw: string): { digits: bigint; scale: number } | null {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = NUMBER.exec(raw) ?? []
  if (whole === '') return null
  const scale = fraction.length - Number(exponent)
  const digits = BigInt(`${sign}${whole}${fraction}`)
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 }
}

/** Finds the columns of records whose keys and types are known only after all were seen. */
export function createColumnFinder({ amount }: { amount: string | null }) {
  const seen = new Map<string, { types: Set<ColumnType>; scale: number; digits: number; isAmount: boolean }>()
  return {
    /** `record`: a JSON object as text. */
    add(record: string): void {
      for (const { key, valueStart, end } of members(record)) {
        const raw = record.slice(valueStart, end)
        let column = seen.get(key)
        if (!column) {
          column = { types: new Set(), scale: 0, digits: 0, isAmount: key === amount }
          seen.set(key, column)
        }
        const type = typeOf(key, raw, column.isAmount)
        if (type === null) continue
        column.types.add(type)
        if (type !== 'decimal') continue
        const number = readNumber(raw)
        if (!number) continue
        column.scale = Math.max(column.scale, number.scale)
        column.digits = Math.max(column.digits, String(number.digits).replace('-', '').length - number.scale)
      }
    },
    columns: (): Column[] =>
      [...seen].map(([name, { types, scale: found, digits }]) => {
        const scale = Math.max(SCALE, found)
        const [type = 'text'] = types
        const fits = types.size <= 1 && (type !== 'decimal' || digits + scale <= PRECISION)
        return { name, type: fits ? type : 'text', scale }
      }),
  }
}

/** Null: blank, so it says nothing of the column. */
function typeOf(key: string, raw: string, isAmount: boolean): ColumnType | null {
  const first = raw[0]
  if (raw === 'null' || raw === '""') return null
  if (raw === 'true' || raw === 'false') return 'boolean'
  if (first === '{' || first === '[') return 'json'
  if (first !== '"') return ID.test(key) ? 'text' : 'decimal'
  if (isAmount) return toAmount(JSON.parse(raw)) === null ? 'text' : 'decimal'
  const text = raw.slice(1, -1)
  return TIME.test(text) ? 'time' : DATE.test(text) ? 'date' : 'text'
}

/** A value for the column of a Parquet file: exact, or null. */
export function cellOf({ type, scale }: Column, raw: string | undefined): string | boolean | bigint | Date | null {
  if (raw === undefined || raw === 'null') return null
  if (type === 'text') return raw.startsWith('"') ? (JSON.parse(raw) as string) : raw
  if (raw === '""') return null
  if (type === 'boolean') return raw === 'true'
  if (type === 'json') return raw
  if (type === 'decimal') {
    const number = readNumber(raw.startsWith('"') ? String(JSON.parse(raw)).replace(/[,\s]/g, '') : raw)
    return number && number.digits * 10n ** BigInt(scale - number.scale)
  }
  return new Date(raw.slice(1, -1).replace(/([+-]\d\d)(\d\d)$/, '$1:$2'))
}
