/**
 * A module of Books by Zoho's documentation and responses (Invoice has fewer of them, under the
 * same names).
 */
export interface BooksModule<Name extends string = BooksModuleName> {
  name: Name
  /** The label on the page. */
  label: { en: string; ar: string }
  /** In `/books/v3/{name}`; several where documentation and responses differ. */
  keys: readonly string[]
  idField: string
  /** The key in the response of `/{name}/{id}`. */
  detailKey: string
  /**
   * The list accepts `last_modified_time`, so it is read by keyset; the others are read newest
   * first until the known rows.
   */
  filter: boolean
  /** Its documents have line items, which only the detail contains. */
  lineItems: boolean
  /** The field whose sums per currency are compared; null: it has none. */
  amount: string | null
  /** Zoho Invoice has it, too. */
  invoice: boolean
  /** The scope that the token needs. */
  scope: string
}

const module = <Name extends string>(
  name: Name,
  [en, ar]: [en: string, ar: string],
  idField: string,
  detailKey: string,
  { filter = false, lineItems = false, amount = null, invoice = false, keys = [name], scope = name }: Partial<BooksModule<Name>> = {},
): BooksModule<Name> => ({ name, label: { en, ar }, keys, idField, detailKey, filter, lineItems, amount, invoice, scope })

const TABLE = [
  module('invoices', ['Invoices', 'الفواتير'], 'invoice_id', 'invoice', { filter: true, lineItems: true, amount: 'total', invoice: true }),
  module('items', ['Items', 'الأصناف'], 'item_id', 'item', { filter: true, invoice: true, scope: 'settings' }),
  module('contacts', ['Contacts', 'جهات الاتصال'], 'contact_id', 'contact', { invoice: true }),
  module('customerpayments', ['Customer payments', 'مدفوعات العملاء'], 'payment_id', 'payment', {
    keys: ['customerpayments', 'customer_payments'],
    amount: 'amount',
    invoice: true,
  }),
  module('bills', ['Bills', 'فواتير الشراء'], 'bill_id', 'bill', { filter: true, lineItems: true, amount: 'total' }),
  module('vendorpayments', ['Vendor payments', 'مدفوعات الموردين'], 'payment_id', 'vendorpayment', {
    filter: true,
    keys: ['vendorpayments', 'vendor_payments'],
    amount: 'amount',
  }),
  module('salesorders', ['Sales orders', 'أوامر البيع'], 'salesorder_id', 'salesorder', { filter: true, lineItems: true, amount: 'total' }),
  module('purchaseorders', ['Purchase orders', 'أوامر الشراء'], 'purchaseorder_id', 'purchaseorder', {
    filter: true,
    lineItems: true,
    amount: 'total',
  }),
  module('creditnotes', ['Credit notes', 'إشعارات الدائن'], 'creditnote_id', 'creditnote', {
    lineItems: true,
    amount: 'total',
    invoice: true,
  }),
  module('organizations', ['Organizations', 'المؤسسات'], 'organization_id', 'organization', { invoice: true, scope: 'settings' }),
]

export type BooksModuleName = (typeof TABLE)[number]['name']
export const BOOKS_MODULES: readonly BooksModule[] = TABLE
export const BOOKS_MODULE_NAMES: readonly BooksModuleName[] = TABLE.map(({ name }) => name)

/** Returns the module of a name; undefined when there is none. */
export const findBooksModule = (name: string): BooksModule | undefined => BOOKS_MODULES.find((it) => it.name === name)
