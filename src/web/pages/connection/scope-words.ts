/** The key of a scope's words: the part of its name that says what it opens. Inventory's parts have words of their own. */
export function wordKeyOfScope(scope: string): string {
  const [product = '', part = '', name = ''] = scope.split('.')
  if (part === 'modules') return name
  return product === 'ZohoInventory' ? `inventory_${part}` : part
}
