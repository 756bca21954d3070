import { KINDS, NAMES } from './books-modules.ts'

/** The default scopes of the demo's account: reading of everything that zinc needs. */
export const GRANTED_SCOPES = [
  'ZohoInventory.items.READ',
  'ZohoInventory.settings.READ',
  ...['settings', ...NAMES].map((module) => `ZohoBooks.${module}.READ`),
  ...['contacts', 'accounts', 'leads', 'products', 'deals'].map((module) => `ZohoCRM.modules.${module}.READ`),
  'ZohoCRM.settings.modules.READ',
  'ZohoCRM.settings.fields.READ',
  'ZohoCRM.org.READ',
  ...['settings', ...NAMES.filter((name) => KINDS[name].invoice)].map((module) => `ZohoInvoice.${module}.READ`),
]

/**
 * Whether the granted scopes include a requested one: itself, its module's ALL, or the whole
 * service's.
 */
export function hasScope(granted: readonly string[], requested: string): boolean {
  const parts = requested.split('.')
  const [service = ''] = parts
  const whole = `${parts.slice(0, -1).join('.')}.ALL`
  const ofModules = parts[1] === 'modules' ? `${service}.modules.ALL` : whole
  return granted.some(
    (it) => it === requested || it === whole || it === ofModules || it.toLowerCase() === `${service.toLowerCase()}.fullaccess.all`,
  )
}
