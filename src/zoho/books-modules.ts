/** What Zoho's documents and answers say of a module of Books (Invoice has fewer of them, under the same names). */
export interface BooksModule {
  name: string
  /** In `/books/v3/{name}`; several where documents and answers differ. */
  keys: readonly string[]
  idField: string
  /** The key of the answer to `/{name}/{id}`. */
  detailKey: string
  /** The list takes `last_modified_time`, so it is walked by keyset; the others are read newest first until what is known. */
  filter: boolean
  /** Its documents have line items, which only the detail tells. */
  lineItems: boolean
  /** The field whose sums per currency are compared; null: it has none. */
  amount: string | null
  /** Zoho Invoice has it, too. */
  invoice: boolean
  /** What the token must be allowed. */
  scope: string
}

const module = (
  name: string,
  idField: string,
  detailKey: string,
  { filter = false, lineItems = false, amount = null, invoice = false, keys = [name], scope = name }: Partial<BooksModule> = {},
): BooksModule => ({ name, keys, idField, detailKey, filter, lineItems, amount, invoice, scope })

export const BOOKS_MODULES: readonly BooksModule[] = [
  module('invoices', 'invoice_id', 'invoice', { filter: true, lineItems: true, amount: 'total', invoice: true }),
  module('items', 'item_id', 'item', { filter: true, invoice: true, scope: 'settings' }),
  module('contacts', 'contact_id', 'contact', { invoice: true }),
  module('customerpayments', 'payment_id', 'payment', { keys: ['customerpayments', 'customer_payments'], amount: 'amount', invoice: true }),
  module('bills', 'bill_id', 'bill', { filter: true, lineItems: true, amount: 'total' }),
  module('vendorpayments', 'payment_id', 'vendorpayment', { filter: true, keys: ['vendorpayments', 'vendor_payments'], amount: 'amount' }),
  module('salesorders', 'salesorder_id', 'salesorder', { filter: true, lineItems: true, amount: 'total' }),
  module('purchaseorders', 'purchaseorder_id', 'purchaseorder', { filter: true, lineItems: true, amount: 'total' }),
  module('creditnotes', 'creditnote_id', 'creditnote', { lineItems: true, amount: 'total', invoice: true }),
  module('organizations', 'organization_id', 'organization', { invoice: true, scope: 'settings' }),
]
