import { defineMessages } from '../../i18n/messages.ts'

/** What each scope opens. English says it in the server's own words, which name the modules. */
export const scopeMessages = defineMessages(
  {
    inventory_items: '',
    inventory_settings: '',
    invoices: '',
    contacts: '',
    customerpayments: '',
    bills: '',
    vendorpayments: '',
    salesorders: '',
    purchaseorders: '',
    creditnotes: '',
    settings: '',
    accounts: '',
    leads: '',
    products: '',
    deals: '',
  },
  {
    inventory_items: 'الأصناف وصورها',
    inventory_settings: 'المؤسسة مع عملتها ومنطقتها الزمنية',
    invoices: 'الفواتير',
    contacts: 'جهات الاتصال، وما حُذف منها',
    customerpayments: 'مدفوعات العملاء',
    bills: 'فواتير الشراء',
    vendorpayments: 'مدفوعات الموردين',
    salesorders: 'أوامر البيع',
    purchaseorders: 'أوامر الشراء',
    creditnotes: 'إشعارات الدائن',
    settings: 'الأصناف والمؤسسات والحقول',
    accounts: 'الحسابات، وما حُذف منها',
    leads: 'العملاء المحتملون، وما حُذف منهم',
    products: 'المنتجات، وما حُذف منها',
    deals: 'الصفقات، وما حُذف منها',
  },
)
