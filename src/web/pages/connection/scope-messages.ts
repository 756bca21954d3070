import { findBooksModule } from '../../../facts/books-modules.ts'
import { defineMessages } from '../../i18n/messages.ts'

/** What each scope opens, by the part of its name that says so (see scope-labels.ts). */
export const scopeMessages = defineMessages(
  {
    inventory_items: 'items and their pictures',
    inventory_settings: 'the organisation with its currency and time zone',
    settings: 'items and organisations',
    crm_contacts: 'contacts, and which of them were deleted',
    crm_accounts: 'accounts, and which of them were deleted',
    crm_leads: 'leads, and which of them were deleted',
    crm_products: 'products, and which of them were deleted',
    crm_deals: 'deals, and which of them were deleted',
    crm_settings: 'which fields the modules have',
  },
  {
    inventory_items: 'الأصناف وصورها',
    inventory_settings: 'المؤسسة مع عملتها ومنطقتها الزمنية',
    settings: 'الأصناف والمؤسسات',
    crm_contacts: 'جهات الاتصال، وما حُذف منها',
    crm_accounts: 'الحسابات، وما حُذف منها',
    crm_leads: 'العملاء المحتملون، ومن حُذف منهم',
    crm_products: 'المنتجات، وما حُذف منها',
    crm_deals: 'الصفقات، وما حُذف منها',
    crm_settings: 'حقول الوحدات',
  },
)

/** The key of a scope's words: the part of its name that says what it opens, which Inventory and CRM mean in their own way. */
function scopeMessageKey(scope: string): string {
  const [product = '', part = '', name = ''] = scope.split('.')
  const opens = part === 'modules' ? name : part
  return product === 'ZohoInventory' ? `inventory_${opens}` : product === 'ZohoCRM' ? `crm_${opens}` : opens
}

/** What a scope opens; null for one that the page does not know. */
export function describeScope(scope: string, language: keyof typeof scopeMessages): string | null {
  const key = scopeMessageKey(scope)
  const words: Record<string, string> = scopeMessages[language]
  return words[key] ?? findBooksModule(key)?.label[language].toLowerCase() ?? null
}
