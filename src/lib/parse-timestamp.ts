import { BadRequestError } from './errors.ts'

const SHAPE = /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)\s*([Zz]|[+-]\d{2}(?::?\d{2})?| \d{2}(?::?\d{2})?)?)?$/

/**
 * Parses a time as people and scripts write it: with or without fraction, `Z` or an offset (whose
 * `+` a query turns into a space), no zone = UTC. Fractions below a millisecond are dropped, which
 * with an inclusive bound can only include more. Throws BadRequestError naming the field.
 */
export function parseTimestamp(field: string, text: string): Date {
  const match = SHAPE.exec(text.trim())
  if (match) {
    const [, day, time = '00:00:00', zone = 'Z'] = match
    const clock = time.length === 5 ? `${time}:00` : time.replace(',', '.')
    const [whole = '', fraction = ''] = clock.split('.')
    const compact = zone.replace(' ', '+').replace(':', '').toUpperCase()
    const offset = compact === 'Z' ? 'Z' : `${compact.slice(0, 3)}:${compact.slice(3) || '00'}`
    const at = new Date(`${day}T${whole}.${fraction.padEnd(3, '0').slice(0, 3)}${offset}`)
    // JavaScript turns 31 February into 3 March, which is never intended.
    if (!Number.isNaN(at.getTime()) && new Date(`${day}T00:00:00Z`).toISOString().startsWith(day ?? '?')) return at
  }
  throw new BadRequestError('invalid_time', { field, text: text.slice(0, 60), fields: [{ field, message: 'is not a valid time' }] })
}
