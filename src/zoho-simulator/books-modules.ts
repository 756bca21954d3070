import { type BooksDocument, type DocumentKind, makeContact, makeDocument, makePayment } from './books-documents.ts'

export interface ModuleKind {
  /** Keys of the list's response; documentation and responses of customer payments differ. */
  key: string
  detailKey: string
  entity: string
  /** Zoho's own order without a sort. */
  sort: [column: string, order: 'A' | 'D']
  sortable: readonly string[]
  /** The list accepts last_modified_time; elsewhere it is ignored, as unknown parameters are. */
  filter: boolean
  count: number
  /** Zoho Invoice has it. */
  invoice: boolean
  make(n: number, id: string): BooksDocument
}

const documents = (
  kind: Omit<DocumentKind, 'lines'>,
  more: Partial<ModuleKind> & { count: number; entity: string; detailKey: string },
): ModuleKind => ({
  key: kind.module,
  sort: ['created_time', 'D'],
  sortable: ['created_time', 'last_modified_time', 'date', 'total', kind.numberField],
  filter: true,
  invoice: false,
  make: (n, id) => makeDocument({ ...kind, lines: true }, n, id),
  ...more,
})

const payments = (
  party: 'customer' | 'vendor',
  more: Pick<ModuleKind, 'key' | 'detailKey' | 'filter' | 'count' | 'invoice'>,
): ModuleKind => ({
  entity: 'Payment',
  sort: ['date', 'D'],
  sortable: ['date', 'amount', 'payment_number', 'created_time', 'last_modified_time'],
  make: (n, id) => makePayment(n, id, party),
  ...more,
})

/** The modules of Books, as the API has them. */
export const KINDS = {
  invoices: documents(
    { module: 'invoices', idField: 'invoice_id', numberField: 'invoice_number', prefix: 'INV', party: 'customer' },
    { count: 320, entity: 'Invoice', detailKey: 'invoice', invoice: true },
  ),
  contacts: {
    key: 'contacts',
    detailKey: 'contact',
    entity: 'Contact',
    sort: ['contact_name', 'A'],
    sortable: ['contact_name', 'created_time', 'last_modified_time'],
    filter: false,
    count: 240,
    invoice: true,
    make: makeContact,
  },
  customerpayments: payments('customer', { key: 'customerpayments', detailKey: 'payment', filter: false, count: 150, invoice: true }),
  bills: documents(
    { module: 'bills', idField: 'bill_id', numberField: 'bill_number', prefix: 'BILL', party: 'vendor' },
    { count: 90, entity: 'Bill', detailKey: 'bill' },
  ),
  vendorpayments: payments('vendor', { key: 'vendorpayments', detailKey: 'vendorpayment', filter: true, count: 60, invoice: false }),
  salesorders: documents(
    { module: 'salesorders', idField: 'salesorder_id', numberField: 'salesorder_number', prefix: 'SO', party: 'customer' },
    { count: 110, entity: 'Sales Order', detailKey: 'salesorder' },
  ),
  purchaseorders: documents(
    { module: 'purchaseorders', idField: 'purchaseorder_id', numberField: 'purchaseorder_number', prefix: 'PO', party: 'vendor' },
    { count: 70, entity: 'Purchase Order', detailKey: 'purchaseorder' },
  ),
  creditnotes: documents(
    { module: 'creditnotes', idField: 'creditnote_id', numberField: 'creditnote_number', prefix: 'CN', party: 'customer' },
    { count: 25, entity: 'Credit Note', detailKey: 'creditnote', filter: false, invoice: true },
  ),
} satisfies Record<string, ModuleKind>

export type BooksModuleName = keyof typeof KINDS
export const NAMES = Object.keys(KINDS) as BooksModuleName[]
