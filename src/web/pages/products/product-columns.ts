export type ProductSortKey = 'name' | 'sku' | 'selling_price' | 'stock_on_hand' | 'updated_at' | 'created_at'

interface ProductColumn {
  /** Its share of the width that the name leaves. */
  width: string
  /** Figures are at the end of their column. */
  end?: true
  sort?: ProductSortKey
}

/** What the table can show beside the product's name, in this order. */
export const COLUMNS = {
  sku: { width: 'minmax(0, 150px)', sort: 'sku' },
  price: { width: 'minmax(0, 120px)', end: true, sort: 'selling_price' },
  cost: { width: 'minmax(0, 120px)', end: true },
  stock: { width: 'minmax(0, 84px)', end: true, sort: 'stock_on_hand' },
  category: { width: 'minmax(0, 130px)' },
  brand: { width: 'minmax(0, 110px)' },
  group: { width: 'minmax(0, 150px)' },
  barcode: { width: 'minmax(0, 130px)' },
  images: { width: 'minmax(0, 72px)', end: true },
  changed: { width: 'minmax(0, 130px)', sort: 'updated_at' },
  picture: { width: 'minmax(0, 140px)' },
} as const satisfies Record<string, ProductColumn>

export type ColumnKey = keyof typeof COLUMNS
export const COLUMN_KEYS = Object.keys(COLUMNS) as ColumnKey[]
export const columnOf = (key: ColumnKey): ProductColumn => COLUMNS[key]
export const DEFAULT_COLUMNS: readonly ColumnKey[] = ['sku', 'price', 'stock', 'picture']
/** More would leave no room for the name. */
export const MAX_COLUMNS = 6
/** On a tablet. */
export const MAX_COLUMNS_MEDIUM = 3

/** Only these are on a phone: the card has a place for each. */
export const CARD_COLUMNS: readonly ColumnKey[] = ['sku', 'price']

export const toColumns = (named: string): readonly ColumnKey[] => {
  const keys = COLUMN_KEYS.filter((key) => named.split(',').includes(key)).slice(0, MAX_COLUMNS)
  return keys.length > 0 ? keys : DEFAULT_COLUMNS
}
