/** One item as the simulated Zoho keeps it. Times are whole seconds; ids are 18 digits, above what a JavaScript number holds. */
export interface SimulatedItem {
  item_id: string
  name: string
  sku: string
  status: 'active' | 'inactive'
  rate: number
  purchase_rate: number
  description: string
  unit: string
  category: string
  brand: string
  /** Null: a service without stock; Zoho leaves the keys out. */
  stock: number | null
  /** "" when the item has no picture. */
  image_document_id: string
  image_name: string
  /** What the drawn picture is made from; another seed is another picture. */
  image_seed: number
  /** Further pictures; Zoho takes up to ten an item. The main one has the lowest order. */
  gallery?: { document_id: string; file_name: string; image_seed: number }[]
  custom_fields: Record<string, string>
  created: Date
  modified: Date
}

export interface SeedOptions {
  count?: number
  /** Every item has a picture; otherwise a third has none, as in real shops. */
  allImages?: boolean
  /** A few pairs of items share one SKU. */
  withConflicts?: boolean
}

/** A small generator of numbers that are the same at every start (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const KINDS = [
  { category: 'Cables', en: 'USB-C Cable', ar: 'كابل يو إس بي سي', price: 4 },
  { category: 'Chargers', en: 'Wall Charger', ar: 'شاحن حائط', price: 12 },
  { category: 'Power banks', en: 'Power Bank', ar: 'بنك طاقة', price: 25 },
  { category: 'Headphones', en: 'Wireless Headphones', ar: 'سماعات لاسلكية', price: 39 },
  { category: 'Speakers', en: 'Bluetooth Speaker', ar: 'مكبر صوت بلوتوث', price: 45 },
  { category: 'Keyboards', en: 'Mechanical Keyboard', ar: 'لوحة مفاتيح ميكانيكية', price: 59 },
  { category: 'Mice', en: 'Optical Mouse', ar: 'فأرة ضوئية', price: 15 },
  { category: 'Memory', en: 'MicroSD Card', ar: 'بطاقة ذاكرة', price: 18 },
  { category: 'Phones', en: 'Smartphone', ar: 'هاتف ذكي', price: 249 },
  { category: 'Tablets', en: 'Tablet', ar: 'جهاز لوحي', price: 189 },
  { category: 'Monitors', en: 'LED Monitor', ar: 'شاشة ليد', price: 140 },
  { category: 'Routers', en: 'Wi-Fi Router', ar: 'موجه واي فاي', price: 35 },
] as const
const BRANDS = ['Nara', 'Voltix', 'Qamar', 'Orbit', 'Sahara', 'Lumen', 'Tigris', 'Pixelon']
const COLOURS = [
  ['Black', 'أسود'],
  ['White', 'أبيض'],
  ['Blue', 'أزرق'],
  ['Red', 'أحمر'],
  ['Silver', 'فضي'],
] as const

const FIRST_ID = 460_000_000_000_100_001n
const FIRST_CREATED = Date.UTC(2025, 0, 6, 8, 0, 0)

/** The catalogue of a made-up electronics shop: the same at every start, 2,204 items unless told otherwise. */
export function createSeed({ count = 2204, allImages = false, withConflicts = false }: SeedOptions = {}): SimulatedItem[] {
  const random = seeded(20_261_124)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const items: SimulatedItem[] = []
  for (let n = 0; n < count; n++) {
    const kind = pick(KINDS)
    const brand = pick(BRANDS)
    const [colour, colourAr] = pick(COLOURS)
    const model = `${brand.slice(0, 2).toUpperCase()}-${1000 + n}`
    const en = `${brand} ${kind.en} ${model} ${colour}`
    const ar = `${kind.ar} ${brand} ${model} ${colourAr}`
    const style = n % 20
    const name =
      style < 14 ? `${en} | ${ar}` : style < 16 ? `${en} / ${ar}` : style < 18 ? en : style === 18 ? ar : `${en} &amp; case  | ${ar}`
    const hasImage = allImages || n % 3 !== 2
    const rate = Math.round(kind.price * (0.7 + random() * 1.6) * 100) / 100
    const modified = new Date(FIRST_CREATED + n * 37_000 - (n % 5 === 0 ? 0 : 37_000))
    items.push({
      item_id: String(FIRST_ID + BigInt(n) * 2n),
      name,
      sku: n % 97 === 50 ? '' : n % 11 === 0 ? String(n).padStart(6, '0') : `${kind.category.slice(0, 3).toUpperCase()}-${10_000 + n}`,
      status: n % 29 === 13 ? 'inactive' : 'active',
      rate: n % 251 === 7 ? 0 : rate,
      purchase_rate: Math.round(rate * 62) / 100,
      description: n % 4 === 0 ? `${en}. One year of warranty.` : '',
      unit: 'pcs',
      category: kind.category,
      brand,
      stock: n % 40 === 39 ? null : Math.floor(random() * 120),
      image_document_id: hasImage ? String(FIRST_ID + 900_000_000n + BigInt(n)) : '',
      image_name: hasImage ? (n % 17 === 0 ? `صورة ${n}.jpg` : `${model}.jpg`) : '',
      image_seed: n,
      custom_fields: n % 10 === 3 ? { cf_warranty: '12 months', cf_warranty_unformatted: '12 months' } : {},
      created: new Date(FIRST_CREATED - 86_400_000 + n * 1000),
      modified,
    })
  }
  if (withConflicts) for (let n = 100; n < Math.min(count - 1, 500); n += 100) items[n + 1]!.sku = items[n]!.sku = `SHARED-${n}`
  return items
}
