/** The key of a scope's words: the part of its name that says what it opens, which Inventory and CRM mean in their own way. */
export function scopeMessageKey(scope: string): string {
  const [product = '', part = '', name = ''] = scope.split('.')
  const opens = part === 'modules' ? name : part
  return product === 'ZohoInventory' ? `inventory_${opens}` : product === 'ZohoCRM' ? `crm_${opens}` : opens
}
