import { seeded } from './seed.ts'

/**
 * A number with its digits as written, for example 12.50: JSON.stringify of a plain one would drop
 * the zero that Zoho sends.
 */
const asWritten = (text: string): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text)
/** Cents as Zoho writes money. */
const money = (cents: number): unknown =>
  asWritten(`${cents < 0 ? '-' : ''}${Math.floor(Math.abs(cents) / 100)}.${String(Math.abs(cents) % 100).padStart(2, '0')}`)

export interface DocumentKind {
  module: string
  idField: string
  /** The key of a number like INV-000123. */
  numberField: string
  prefix: string
  /** Whether its contact is a customer or a vendor. */
  party: 'customer' | 'vendor'
  lines: boolean
}

const CURRENCIES = [
  { code: 'USD', id: '460000000000000097', rate: '1.000000' },
  { code: 'IQD', id: '460000000000000105', rate: '0.000763' },
  { code: 'EUR', id: '460000000000000109', rate: '1.085000' },
] as const
const STATUSES = ['draft', 'sent', 'paid', 'overdue', 'void'] as const
const PARTIES = [
  'Nara Trading',
  'شركة المنصور للإلكترونيات',
  'Basra Mobile',
  'Orbit & Sons',
  'مكتب الرافدين',
  'Tigris Retail',
  'Lumen GmbH',
  'Café Zaïn',
]
const GOODS = ['USB-C Cable', 'شاحن حائط', 'Power Bank', 'سماعات لاسلكية', 'Keyboard "MX"', 'Mouse \\ pad', 'LED Monitor', 'Router']

export interface BooksDocument {
  row: Record<string, unknown>
  detail: Record<string, unknown>
}

/**
 * Returns the n-th document of a kind, always the same. Its line items add up to its header in one
 * of Zoho's ways: discount by line or on the whole, tax added or included, shipping, adjustment,
 * rounding to whole units.
 */
export function makeDocument(kind: DocumentKind, n: number, id: string): BooksDocument {
  const random = seeded(n * 7919 + kind.prefix.charCodeAt(0) * 101 + kind.module.length)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const whole = (max: number) => Math.floor(random() * max)
  const currency = pick(CURRENCIES)
  const taxPercent = pick([0, 0, 5, 15])
  const inclusive = taxPercent > 0 && random() < 0.3
  const byLine = random() < 0.3
  const onWhole = !byLine && random() < 0.3
  const lines = Array.from({ length: 1 + whole(4) }, (_, index) => {
    const quantity = 1 + whole(20)
    const rate = 50 + whole(40_000)
    const discount = byLine ? whole(20) : 0
    return { index, quantity, rate, discount, total: Math.round(quantity * rate * (1 - discount / 100)), goods: whole(GOODS.length) }
  })
  const subTotal = lines.reduce((sum, line) => sum + line.total, 0)
  const discount = onWhole ? Math.round(subTotal * 0.1) : 0
  const tax = inclusive
    ? Math.round(((subTotal - discount) * taxPercent) / (100 + taxPercent))
    : Math.round(((subTotal - discount) * taxPercent) / 100)
  const shipping = random() < 0.2 ? 500 + whole(2_000) : 0
  const adjustment = random() < 0.2 ? whole(300) - 150 : 0
  const exact = subTotal - discount + (inclusive ? 0 : tax) + shipping + adjustment
  const roundoff = random() < 0.2 ? Math.round(exact / 100) * 100 - exact : 0
  const total = exact + roundoff
  const status = pick(STATUSES)
  const party = whole(PARTIES.length)
  const day = new Date(Date.UTC(2025, 0, 1) + (n % 600) * 86_400_000).toISOString().slice(0, 10)
  const both = {
    [kind.idField]: id,
    [kind.numberField]: `${kind.prefix}-${String(n + 1).padStart(6, '0')}`,
    [`${kind.party}_id`]: `4600000000003${String(party).padStart(5, '0')}`,
    [`${kind.party}_name`]: PARTIES[party],
    status,
    date: day,
    due_date: day,
    reference_number: n % 3 === 0 ? `PO ${n}` : '',
    currency_id: currency.id,
    currency_code: currency.code,
    exchange_rate: asWritten(currency.rate),
    total: money(total),
    balance: money(status === 'paid' ? 0 : total),
    salesperson_id: n % 5 === 0 ? '-1' : '',
    salesperson_name: n % 5 === 0 ? 'Others' : '',
    is_emailed: n % 2 === 0,
    // Loose types, as recorded: an id in place of a boolean, a number beyond what JavaScript
    // represents, "" for an empty list.
    is_opening_balance: n % 7 === 0 ? id : '',
    ...(n % 500 === 2 && { external_reference: asWritten(`900719925474${String(1_000_000 + n)}`) }),
    cf_branch: n % 2 === 0 ? 'Basra' : 'بغداد',
    cf_branch_unformatted: n % 2 === 0 ? 'Basra' : 'بغداد',
  }
  const row = { ...both, due_days: '', documents: '', has_attachment: false }
  if (!kind.lines) return { row, detail: both }
  return {
    row,
    detail: {
      ...both,
      is_inclusive_tax: inclusive,
      discount_type: onWhole ? 'entity_level' : 'item_level',
      is_discount_before_tax: true,
      discount: onWhole ? '10.00%' : asWritten('0.00'),
      discount_total: money(discount),
      sub_total: money(subTotal),
      tax_total: money(tax),
      shipping_charge: money(shipping),
      adjustment: money(adjustment),
      adjustment_description: 'Adjustment',
      roundoff_value: money(roundoff),
      price_precision: n % 4 === 0 ? '' : 2,
      line_items: lines.map((line) => ({
        line_item_id: `${BigInt(id) + 1_000_000_000n}${line.index}`,
        item_id: `4600000000001${String(line.goods).padStart(5, '0')}`,
        name: GOODS[line.goods],
        item_order: line.index + 1,
        // Sometimes a number, sometimes a string.
        quantity: n % 6 === 0 ? `${line.quantity}.000000` : asWritten(`${line.quantity}.00`),
        rate: money(line.rate),
        discount: byLine ? `${line.discount}.00%` : asWritten('0.00'),
        tax_id: '',
        tax_percentage: taxPercent,
        item_total: money(line.total),
        item_custom_fields: '',
      })),
      notes: n % 11 === 0 ? 'أهلاً  وسهلاً\nsecond line' : '',
      custom_fields: [],
      custom_field_hash: {},
      documents: [],
    },
  }
}

/** Returns the n-th contact. */
export function makeContact(n: number, id: string): BooksDocument {
  const name = `${PARTIES[n % PARTIES.length]} ${n}`
  const row = {
    contact_id: id,
    contact_name: name,
    customer_name: name,
    vendor_name: n % 4 === 0 ? name : '',
    company_name: name,
    contact_type: n % 4 === 0 ? 'vendor' : 'customer',
    status: n % 19 === 0 ? 'inactive' : 'active',
    email: n % 3 === 0 ? '' : `contact${n}@shop.example`,
    phone: '',
    mobile: n % 2 === 0 ? `+964 770 ${String(n).padStart(7, '0')}` : '',
    currency_code: CURRENCIES[n % 3]!.code,
    outstanding_receivable_amount: money((n * 137) % 90_000),
    unused_credits_receivable_amount: asWritten('0.00'),
    payment_terms: 15,
    tags: '',
  }
  return { row, detail: { ...row, addresses: [], contact_persons: [], custom_fields: [] } }
}

/** Returns the n-th payment received or made. */
export function makePayment(n: number, id: string, party: 'customer' | 'vendor'): BooksDocument {
  const currency = CURRENCIES[n % 3]!
  const row = {
    payment_id: id,
    payment_number: String(n + 1),
    [`${party}_id`]: `4600000000003${String(n % PARTIES.length).padStart(5, '0')}`,
    [`${party}_name`]: PARTIES[n % PARTIES.length],
    date: new Date(Date.UTC(2025, 0, 1) + (n % 600) * 86_400_000).toISOString().slice(0, 10),
    payment_mode: n % 2 === 0 ? 'cash' : 'banktransfer',
    reference_number: n % 3 === 0 ? `R-${n}` : '',
    currency_code: currency.code,
    exchange_rate: asWritten(currency.rate),
    amount: money(100 + ((n * 7_919) % 500_000)),
    unused_amount: asWritten('0.00'),
    applied_invoices: '',
    documents: '',
  }
  return { row, detail: { ...row, invoices: [] } }
}
