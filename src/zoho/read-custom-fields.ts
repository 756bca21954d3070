import { isBlank, isEmptyList, type Row } from './value-types.ts'

/**
 * Returns custom fields under the keys of a list row, whichever shape they have: `custom_fields[]`
 * and `custom_field_hash` of details, or `cf_…` keys. A field that is absent keeps zinc's value:
 * lists contain only the fields that are set to show there.
 */
export function readCustomFields(
  row: Row,
  { unreadable = [], byLabel = false }: { unreadable?: string[]; byLabel?: boolean } = {},
): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  const { custom_fields: listed, custom_field_hash: hash } = row
  if (Array.isArray(listed)) {
    for (const entry of listed) {
      const field = readCustomField(entry, { byLabel })
      if (field === null) unreadable.push('custom_fields')
      else Object.assign(found, field)
    }
  } else if (listed !== undefined && !isBlank(listed)) unreadable.push('custom_fields')
  if (typeof hash === 'object' && hash !== null && !Array.isArray(hash)) Object.assign(found, customKeys(hash as Row, unreadable))
  else if (hash !== undefined && !isEmptyList(hash)) unreadable.push('custom_field_hash')
  return Object.assign(found, customKeys(row, unreadable))
}

/** Returns the labels of custom fields by key; undefined where the row does not list them. */
export function readCustomFieldLabels({ custom_fields: listed }: Row): Record<string, string> | undefined {
  if (!Array.isArray(listed)) return undefined
  const named = listed.flatMap((entry: unknown) => {
    const { api_name, label } = (entry ?? {}) as Row
    return typeof api_name === 'string' && api_name.startsWith('cf_') && typeof label === 'string' ? [[api_name, label] as const] : []
  })
  return Object.fromEntries(named)
}

/**
 * Strings, numbers, booleans, and lists of them; Zoho has no custom field whose value is an object.
 */
const isCustomValue = (value: unknown): boolean => (Array.isArray(value) ? value.every(isPlain) : isPlain(value))
const isPlain = (value: unknown): boolean => typeof value !== 'object' || value === null

function customKeys(row: Row, unreadable: string[]): Row {
  const named = Object.entries(row).filter(([key, value]) => key.startsWith('cf_') && value !== undefined)
  unreadable.push(...named.filter(([, value]) => !isCustomValue(value)).map(([key]) => key))
  return Object.fromEntries(named.filter(([, value]) => isCustomValue(value)))
}

function readCustomField(entry: unknown, { byLabel }: { byLabel: boolean }): Row | null {
  if (typeof entry !== 'object' || entry === null) return null
  const { api_name, label, value, value_formatted: formatted } = entry as Row
  if (!isCustomValue(value) || !isCustomValue(formatted)) return null
  if (typeof api_name === 'string' && api_name.startsWith('cf_')) {
    if (value === undefined && formatted === undefined) return {}
    return { [api_name]: formatted ?? value, ...(value !== undefined && { [`${api_name}_unformatted`]: value }) }
  }
  if (!byLabel) return null
  const name = api_name ?? label
  return name === undefined || value === undefined ? {} : { [String(name)]: value }
}
