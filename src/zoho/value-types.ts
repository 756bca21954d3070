import { z } from 'zod'
import { decodeEntities } from '../lib/html-entities.ts'
import { fromWallClock } from '../lib/local-time.ts'

/** A row as it was received, its values not parsed yet. */
export type Row = Record<string, unknown>

export const isBlank = (value: unknown): boolean => value === null || value === ''
/** Zoho writes "" for an empty list too. */
export const isEmptyList = (value: unknown): boolean => isBlank(value) || (Array.isArray(value) && value.length === 0)

/** Zoho writes "" for any empty value, whatever its type; absent keys mean the same. */
const blank = (value: unknown): boolean => value === undefined || isBlank(value)
const maybe = <T extends z.ZodType>(type: T) => z.preprocess((value) => (blank(value) ? null : value), type.nullable())

/**
 * Zoho sends some texts as numbers; an object or a list is refused, as it would become "[object
 * Object]".
 */
const TextOrNumber = z.union([z.string(), z.number()]).transform(String)

/**
 * Ids have up to 19 digits: a number beyond 2^53 would be wrong already, so it is refused rather
 * than rounded.
 */
export const Id = z.union([
  z.string().min(1).max(100).refine(isStorable),
  z.number().refine(Number.isSafeInteger, 'an id was rounded').transform(String),
])
export const Text = maybe(TextOrNumber)
/** A text to display: Zoho escapes some characters as HTML does. */
export const PlainText = Text.transform((text) => text && decodeEntities(text))
/**
 * A value that products are looked up by. PostgreSQL's indexes take no entry over 2,700 bytes: one
 * such row would fail the statement of its whole page.
 */
export const Key = Text.refine((text) => text === null || text.length <= 500, 'longer than 500 characters')

/** A name by which products are found. */
export const PlainKey = Key.transform((text) => text && decodeEntities(text))

function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

/**
 * Money and stock: Zoho sends JSON numbers or texts such as "1,234.50" or "5.000000"; people type
 * currency signs and Arabic digits. Returns a decimal string, exact as far as it was sent; null
 * where it is blank, not a number, or larger than the column (`hasInvalidFields` tells them apart).
 */
export const ReadableDecimal = maybe(
  z.union([z.number(), z.string()]).transform((value, context) => {
    const text = typeof value === 'number' ? plainDigits(value) : plainText(value)
    if (/^-?0*\d{1,17}(\.\d+)?$/.test(text)) return text
    context.addIssue({ code: 'custom', message: 'not a number' })
    return z.NEVER
  }),
)

/** The same, but null also for an unreadable value (`hasInvalidFields` tells the two apart). */
export const Decimal = ReadableDecimal.catch(null)

/** True for a value that is not blank and from which no number can be read. */
export const hasInvalidFields = (raw: unknown): boolean => !blank(raw) && Decimal.parse(raw) === null

function plainDigits(value: number): string {
  const text = String(value)
  return text.includes('e') ? value.toFixed(6) : text
}

/**
 * Grouped thousands (or, in India, hundreds before them). Another comma may be a decimal one, and
 * guessing wrong is a price a hundred times too high.
 */
const GROUPED = /^-?\d{1,3}([,٬\s]\d{2,3})*[,٬\s]\d{3}(\.\d+)?$/

/**
 * Arabic-Indic digits and separators as Latin ones, without group separators and without a
 * currency's sign or code at either end.
 */
function plainText(value: string): string {
  const text = value
    .replace(/[٠-٩۰-۹]/g, (digit) => String(digit.charCodeAt(0) & 0xf))
    .replaceAll('٫', '.')
    .replace(/\p{Cf}/gu, '')
    .trim()
    .replace(/^(\p{Sc}|[A-Z]{3})\s*|\s*(\p{Sc}|[A-Z]{3})$/gu, '')
    .replace(/^-\s+/, '-')
  return GROUPED.test(text) ? text.replace(/[,٬\s]/g, '') : text
}

/** A boolean, in JSON or as a text; blank is false. */
export const Flag = z.preprocess(
  (value) => (value === null || value === '' || value === 'false' ? false : value === 'true' ? true : value),
  z.boolean(),
)

const ISO_LOCAL = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?$/
const ZONED = /(?:Z|[+-]\d{2}:?\d{2}|GMT|UTC)$/i

/**
 * `2026-06-09T09:45:44-0400`: an offset without a colon, which Date does not parse everywhere. A
 * time without an offset is on the wall clock of `timeZone`, the organization's.
 */
export const instantIn = (timeZone: string) =>
  z.string().transform((text, context) => {
    const value = text.trim()
    const [, day, time = '00:00'] = ISO_LOCAL.exec(value) ?? []
    if (day === undefined && ZONED.test(value)) {
      const at = new Date(value.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'))
      if (!Number.isNaN(at.getTime())) return at
    } else {
      const wallClock = Date.parse(day === undefined ? `${value} UTC` : `${day}T${time}Z`)
      if (!Number.isNaN(wallClock)) return new Date(fromWallClock(wallClock, timeZone))
    }
    context.addIssue({ code: 'custom', message: 'not a time' })
    return z.NEVER
  })

export const PageContext = z.looseObject({ page: z.coerce.number().catch(1), has_more_page: z.coerce.boolean().catch(false) })

/** Numbers that a JavaScript number cannot represent exactly: ids, or money with many digits. */
const LONG_NUMBER = /[:[,]\s*-?[\d.]{16,}/

/**
 * Parses a Zoho body to an object; null when it is none. Ids sent as numbers beyond 2^53, and
 * decimals of more than 15 digits, become strings with the digits as sent.
 */
export function parseZohoJson(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = LONG_NUMBER.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined || context.source.length < 16) return value
  return /^-?\d+(\.\d+)?$/.test(context.source) && String(value) !== context.source ? context.source : value
}
