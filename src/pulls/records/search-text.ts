/** Keys by which people search for a record, in Books, Invoice, Inventory and CRM. */
const KEYS =
  /^(?:(?:.*_)?(?:name|number|numbers|email|phone|mobile|sku|reference)|reference_number|Email|Phone|Mobile|.*_Name|Subject|Product_Code|Full_Name|Website|cf_[a-z0-9_]+)$/
const NOT = /^(?:custom_field|tax_|account_name|currency_|template_|pricebook_|submitted_by|created_by|.*_unformatted$)/
const LONGEST = 2_000

/**
 * Returns the text that `search` matches: names, numbers, mail addresses, SKUs and custom fields of
 * the record's first level, in lower case.
 */
export function searchText(record: Record<string, unknown>): string {
  const words = new Set<string>()
  for (const [key, value] of Object.entries(record)) {
    if (!KEYS.test(key) || NOT.test(key)) continue
    if (typeof value === 'string' && value !== '') words.add(value)
    else if (typeof value === 'number') words.add(String(value))
    // CRM names what a record refers to as {name, id}.
    else if (typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string') words.add(value.name)
  }
  return [...words].join('\n').toLowerCase().replaceAll('\u0000', ' ').toWellFormed().slice(0, LONGEST)
}
