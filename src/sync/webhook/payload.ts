import { parseZohoJson } from '../../zoho/value-types.ts'

/** Ids have up to 19 digits. */
const ITEM_ID = /^\d{1,20}$/

/**
 * Returns the ids that a webhook names: Zoho's default payload `{"item":{"item_id":…}}`, a list of
 * items, the bare `item_id` of a custom payload, or any of these in the older form field
 * `JSONString`. Nothing else of the body is used.
 */
export function eventItemIds({ body, parameters }: { body: string; parameters: [string, string][] }): string[] {
  const form = Object.fromEntries(parameters)
  const documents = [parseZohoJson(body), parseZohoJson(form.JSONString ?? ''), parseZohoJson(form.item ?? ''), form]
  const ids = documents.flatMap((document) => (document ? [document, document.item, ...listOf(document.items)] : [])).map(idOf)
  return [...new Set(ids.filter((id) => id !== null))]
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

function idOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('item_id' in value)) return null
  const id = String(value.item_id)
  return ITEM_ID.test(id) ? id : null
}
