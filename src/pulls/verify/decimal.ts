/** Money as whole hundred-millionths, so that sums are exact. */
const DIGITS = 8
const SCALE = 10n ** BigInt(DIGITS)

/**
 * Parses an amount as Zoho writes it: a number, or a text such as "1,234.50"; blank is 0. Null: not
 * an amount.
 */
export function toAmount(value: unknown): bigint | null {
  if (value === undefined || value === null || value === '') return 0n
  const text = (typeof value === 'number' ? plain(value) : typeof value === 'string' ? value : 'x').replace(/[,\s]/g, '')
  const form = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text)
  if (!form) return null
  const [, sign, whole = '0', fraction = ''] = form
  const amount = BigInt(whole) * SCALE + BigInt(fraction.slice(0, DIGITS).padEnd(DIGITS, '0'))
  return sign === '-' ? -amount : amount
}

const plain = (value: number): string => (String(value).includes('e') ? value.toFixed(DIGITS) : String(value))

/** As a decimal string with at least two places. */
export function fromAmount(amount: bigint): string {
  const digits = (amount < 0n ? -amount : amount).toString().padStart(DIGITS + 1, '0')
  const fraction = digits.slice(-DIGITS).replace(/0+$/, '').padEnd(2, '0')
  return `${amount < 0n ? '-' : ''}${digits.slice(0, -DIGITS)}.${fraction}`
}

/** Returns one unit of the last decimal place of a document, for example 0.01. */
export function lastDigitUnit(precision: unknown): bigint {
  const places = typeof precision === 'number' || (typeof precision === 'string' && precision !== '') ? Number(precision) : 2
  return Number.isInteger(places) && places >= 0 && places <= DIGITS ? 10n ** BigInt(DIGITS - places) : 10n ** BigInt(DIGITS - 2)
}
