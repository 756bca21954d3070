import { z } from 'zod'

/** Zoho writes "" for anything that is empty, whatever its type; absent keys mean the same. */
const blank = (value: unknown): boolean => value === undefined || value === null || value === ''
const maybe = <T extends z.ZodType>(type: T) => z.preprocess((value) => (blank(value) ? null : value), type.nullable())

/** Ids have up to 19 digits: a number beyond 2^53 would already be wrong here, so it is refused rather than rounded. */
export const Id = z.union([z.string().min(1), z.number().refine(Number.isSafeInteger, 'an id was rounded').transform(String)])
export const Text = maybe(z.coerce.string())

/** Money and stock: Zoho sends JSON numbers or texts such as "1,234.50" or "5.000000"; a decimal string, exact as far as it was sent. */
export const Decimal = maybe(
  z.union([z.number(), z.string()]).transform((value, context) => {
    const text = (typeof value === 'number' ? plainDigits(value) : value).replace(/[,\s]/g, '')
    if (/^-?\d+(\.\d+)?$/.test(text)) return text
    context.addIssue({ code: 'custom', message: 'not a number' })
    return z.NEVER
  }),
).catch(null)

function plainDigits(value: number): string {
  const text = String(value)
  return text.includes('e') ? value.toFixed(6) : text
}

/** `2026-06-09T09:45:44-0400`: an offset without colon, which Date does not read everywhere. */
export const Instant = z.string().transform((value, context) => {
  const date = new Date(value.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'))
  if (!Number.isNaN(date.getTime())) return date
  context.addIssue({ code: 'custom', message: 'not a time' })
  return z.NEVER
})

/** A list row of `/items`, as far as zinc reads it; everything but the id may be missing. */
export const ZohoItem = z.looseObject({
  item_id: Id,
  name: z.coerce.string().catch(''),
  sku: Text,
  status: z.string().catch('active'),
  description: Text,
  rate: Decimal,
  purchase_rate: Decimal,
  stock_on_hand: Decimal,
  unit: Text,
  category_name: Text,
  brand: Text,
  image_document_id: Text,
  image_name: Text,
  last_modified_time: maybe(Instant).catch(null),
})
export type ZohoItem = z.infer<typeof ZohoItem>

export const PageContext = z.looseObject({ page: z.coerce.number().catch(1), has_more_page: z.coerce.boolean().catch(false) })
