/**
 * One item of the simulated Zoho. Times are whole seconds; ids have 18 digits, more than a
 * JavaScript number can represent.
 */
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
  /** Null: a service without stock; Zoho omits the keys. */
  stock: number | null
  /** By location's id; absent: the total is divided. A location without a figure has no row. */
  stock_at?: Record<string, number> | undefined
  /** Committed to orders, in each location as far as it has that many. */
  committed?: number
  /** The parts of a kit, whose stock is computed from theirs. */
  kit?: { item_id: string; quantity: number }[]
  /** "" when the item has no image. */
  image_document_id: string
  image_name: string
  /** The image is drawn from it; another seed is another image. */
  image_seed: number
  /** Further images; Zoho accepts up to ten per item. The main one has the lowest order. */
  gallery?: { document_id: string; file_name: string; image_seed: number }[]
  custom_fields: Record<string, string>
  category_id?: string
  manufacturer?: string
  upc?: string
  ean?: string
  isbn?: string
  part_number?: string
  tax?: { id: string; name: string; percentage: number }
  reorder_level?: number
  /** In centimetres and kilograms. */
  measures?: { length: number; width: number; height: number; weight: number }
  is_combo?: boolean
  /** The group of which it is a variant. */
  group?: { id: string; name: string }
  attributes?: { name: string; option: string }[]
  created: Date
  modified: Date
}

export interface SeedOptions {
  count?: number
  /** Every item has an image; otherwise a third has none, as in real shops. */
  allImages?: boolean
  /** A few pairs of items share one SKU. */
  withConflicts?: boolean
}

/** Returns a small random number generator with the same sequence at every start (mulberry32). */
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
  { category: 'Cables', en: 'USB-C Cable', ar: 'كابل يو إس بي سي', price: 4, sizes: ['1 m', '2 m'] },
  { category: 'Chargers', en: 'Wall Charger', ar: 'شاحن حائط', price: 12, sizes: ['20 W', '65 W'] },
  { category: 'Power banks', en: 'Power Bank', ar: 'بنك طاقة', price: 25, sizes: ['10,000 mAh', '20,000 mAh'] },
  { category: 'Headphones', en: 'Wireless Headphones', ar: 'سماعات لاسلكية', price: 39, sizes: ['On-ear', 'Over-ear'] },
  { category: 'Speakers', en: 'Bluetooth Speaker', ar: 'مكبر صوت بلوتوث', price: 45, sizes: ['Small', 'Large'] },
  { category: 'Keyboards', en: 'Mechanical Keyboard', ar: 'لوحة مفاتيح ميكانيكية', price: 59, sizes: ['Compact', 'Full size'] },
  { category: 'Mice', en: 'Optical Mouse', ar: 'فأرة ضوئية', price: 15, sizes: ['Small', 'Large'] },
  { category: 'Memory', en: 'MicroSD Card', ar: 'بطاقة ذاكرة', price: 18, sizes: ['64 GB', '128 GB'] },
  { category: 'Phones', en: 'Smartphone', ar: 'هاتف ذكي', price: 249, sizes: ['128 GB', '256 GB'] },
  { category: 'Tablets', en: 'Tablet', ar: 'جهاز لوحي', price: 189, sizes: ['64 GB', '128 GB'] },
  { category: 'Monitors', en: 'LED Monitor', ar: 'شاشة ليد', price: 140, sizes: ['24 in', '27 in'] },
  { category: 'Routers', en: 'Wi-Fi Router', ar: 'موجه واي فاي', price: 35, sizes: ['AX1800', 'AX3000'] },
] as const
const MANUFACTURERS = ['Qamar Industries', 'Tigris &amp; Sons', 'Nara Electronics', '']
const TAXES = [
  { id: '460000000000005001', name: 'Sales tax', percentage: 15 },
  { id: '460000000000005002', name: 'Luxury tax', percentage: 20.5 },
]
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

/** Variants of a group: three colours, each in two sizes. */
const VARIANTS = 6
/** The first items have no group, since most tests use them. */
const FIRST_GROUPED = 30

/** Which variant of which group the item of this number is; a third of the catalogue is grouped. */
function variantOf(n: number): { first: number; colour: number; size: number } | null {
  const block = Math.floor((n - FIRST_GROUPED) / VARIANTS)
  if (n < FIRST_GROUPED || block % 3 !== 0) return null
  const at = (n - FIRST_GROUPED) % VARIANTS
  return { first: n - at, colour: at % 3, size: Math.floor(at / 3) }
}

/**
 * Thirteen or twelve digits, the last of which is the check digit; every 150th is wrong, as typed
 * by people.
 */
function barcode(n: number, digits: 12 | 13): string {
  const body = (digits === 13 ? '628' : '0').concat(String(4_200_000 + n)).padEnd(digits - 1, '0')
  const sum = [...body].reverse().reduce((total, digit, at) => total + Number(digit) * (at % 2 === 0 ? 3 : 1), 0)
  return `${body}${(10 - (sum % 10) + (n % 150 === 149 ? 1 : 0)) % 10}`
}

const hundredths = (value: number): number => Math.round(value * 100) / 100

/**
 * Returns the catalogue of a made-up electronics shop: the same at every start, 2,204 items by
 * default.
 */
export function createSeed({ count = 2204, allImages = false, withConflicts = false }: SeedOptions = {}): SimulatedItem[] {
  const random = seeded(20_261_124)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const items: SimulatedItem[] = []
  let group: { kind: (typeof KINDS)[number]; brand: string } = { kind: KINDS[0], brand: BRANDS[0]! }
  for (let n = 0; n < count; n++) {
    const drawn: { kind: (typeof KINDS)[number]; brand: string; colour: (typeof COLOURS)[number] } = {
      kind: pick(KINDS),
      brand: pick(BRANDS),
      colour: pick(COLOURS),
    }
    const variant = variantOf(n)
    if (variant !== null && variant.first !== n) Object.assign(drawn, { kind: group.kind, brand: group.brand })
    if (variant !== null) drawn.colour = COLOURS[variant.colour]!
    const { kind, brand } = drawn
    if (variant?.first === n) group = { kind, brand }
    const [colour, colourAr] = drawn.colour
    const model = `${brand.slice(0, 2).toUpperCase()}-${1000 + (variant?.first ?? n)}`
    const size = variant === null ? null : kind.sizes[variant.size]!
    const suffix = size === null ? '' : ` ${size}`
    const en = `${brand} ${kind.en} ${model} ${colour}${suffix}`
    const ar = `${kind.ar} ${brand} ${model} ${colourAr}${suffix}`
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
      committed: n % 12 === 4 ? 3 : 0,
      image_document_id: hasImage ? String(FIRST_ID + 900_000_000n + BigInt(n)) : '',
      image_name: hasImage ? (n % 17 === 0 ? `صورة ${n}.jpg` : `${model}.jpg`) : '',
      image_seed: n,
      custom_fields: n % 10 === 3 ? { cf_warranty: '12 months', cf_warranty_unformatted: '12 months' } : {},
      category_id: String(FIRST_ID + 800_000_000n + BigInt(KINDS.indexOf(kind))),
      manufacturer: MANUFACTURERS[n % 4]!,
      upc: n % 6 === 5 ? barcode(n, 12) : '',
      ean: n % 9 === 8 ? '' : barcode(n === 120 ? 119 : n, 13),
      part_number: n % 5 === 0 ? `P/${model}` : '',
      reorder_level: n % 8 === 0 ? 10 : 0,
      ...(n % 7 !== 6 && { tax: TAXES[n % 35 === 0 ? 1 : 0]! }),
      ...(n % 3 !== 2 && {
        measures: {
          length: hundredths(4 + (n % 17) * 1.25),
          width: hundredths(3 + (n % 11) * 0.5),
          height: hundredths(1 + (n % 5)),
          weight: hundredths(0.05 + (n % 23) * 0.11),
        },
      }),
      is_combo: n % 100 === 99,
      ...(size !== null && {
        group: { id: String(FIRST_ID + 600_000_000n + BigInt(variant!.first)), name: `${brand} ${kind.en} ${model}` },
        attributes: [
          { name: 'Colour', option: colour },
          { name: 'Size', option: size },
        ],
      }),
      created: new Date(FIRST_CREATED - 86_400_000 + n * 1000),
      modified,
    })
  }
  if (withConflicts) for (let n = 100; n < Math.min(count - 1, 500); n += 100) items[n + 1]!.sku = items[n]!.sku = `SHARED-${n}`
  return items
}
