import { findBooksModule } from '../../../facts/books-modules.ts'
import { defineMessages } from '../../i18n/messages.ts'

/** What each scope opens, by the part of its name that says so (see scope-labels.ts). */
export const scopeMessages = defineMessages(
  {
    inventory_items: 'items and images',
    inventory_settings: 'organization, currency and time zone',
    settings: 'items and organizations',
    crm_contacts: 'contacts (including deletions)',
    crm_accounts: 'accounts (including deletions)',
    crm_leads: 'leads (including deletions)',
    crm_products: 'products (including deletions)',
    crm_deals: 'deals (including deletions)',
    crm_settings: 'module field definitions',
  },
  {
    inventory_items: 'الأصناف والصور',
    inventory_settings: 'المؤسسة والعملة والمنطقة الزمنية',
    settings: 'الأصناف والمؤسسات',
    crm_contacts: 'جهات الاتصال (مع المحذوفة)',
    crm_accounts: 'الحسابات (مع المحذوفة)',
    crm_leads: 'العملاء المحتملون (مع المحذوفين)',
    crm_products: 'المنتجات (مع المحذوفة)',
    crm_deals: 'الصفقات (مع المحذوفة)',
    crm_settings: 'تعريفات حقول الوحدات',
  },
)

/**
 * The key of a scope's words: the part of its name that says what it opens, which Inventory and CRM
 * mean in their own way.
 */
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
