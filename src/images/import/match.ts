import { extname } from 'node:path'
import type { Db } from '../../database/client.ts'
import { Prisma } from '../../generated/client.ts'
import { InvalidImageError } from '../../lib/errors.ts'
import { inEnglish, type Said, say } from '../../messages/say.ts'
import type { ImportPlan } from '../../schemas/images.ts'
import { detectFileType } from '../processing/file-type.ts'
import { readImportName } from './layout.ts'
import { findInMap, type MapEntry } from './product-map.ts'
import type { ImportEntry, ImportSource } from './source.ts'

export interface MatchedEntry {
  entry: ImportEntry
  file: string
  product: { id: string; sku: string | null; name: string; hasPicture: boolean }
}
export interface UnmatchedEntry {
  entry: ImportEntry
  kind: 'ambiguous' | 'unmatched' | 'unreadable'
  /** Why it was not accepted. */
  said: Said
  productIds: string[]
}
export interface MatchResult {
  /** In the order of product and image, always the same. */
  matched: MatchedEntry[]
  missed: UnmatchedEntry[]
}

/** Blanks and invisible marks, which people do not see in a SKU. */
const UNSEEN = /[\s\p{Cf}]+/gu
/** A SKU without its case, blanks and invisible marks. */
const looseKey = (key: string): string => key.normalize('NFC').replace(UNSEEN, '').toLowerCase()

interface Candidate {
  id: string
  sku: string | null
  name: string
  zoho_item_id: string | null
  has_picture: boolean
}

/**
 * Finds which product each file belongs to, with one query for all. A SKU without an exact match is
 * searched ignoring case and blanks, and accepted if one product fits. Names that are no images
 * (folders, system files) are left out. Each product's images are in import order: files called
 * front or main, then number 1, then the order of the source.
 */
export async function matchEntries(db: Db, source: ImportSource, map: MapEntry[] | null = null): Promise<MatchResult> {
  if (map !== null) return matchByMap(db, source, map)
  const named = source.entries.flatMap((entry) => {
    const readings = [entry.name, ...entry.otherNames].flatMap((name) => {
      const read = readImportName(name)
      return read ? [{ ...read, name, keys: read.keys.map((key) => key.trim()).filter((key) => key !== '') }] : []
    })
    return readings.length > 0 ? [{ entry, readings }] : []
  })
  const find = await findProducts(db, [...new Set(named.flatMap(({ readings }) => readings.flatMap(({ keys }) => keys)))])
  const matched: MatchedEntry[] = []
  const missed: UnmatchedEntry[] = []
  for (const { entry, readings } of named) {
    if (entry.problem) {
      missed.push({ entry, kind: 'unreadable', said: inEnglish(entry.problem), productIds: [] })
      continue
    }
    const found = firstOf([false, true], (loose) => firstOf(readings, (reading) => find(reading, { loose })))
    const product = found?.products[0]
    if (!found || !product) missed.push({ entry, kind: 'unmatched', said: say('no_product'), productIds: [] })
    else if (found.products.length > 1)
      missed.push({
        entry,
        kind: 'ambiguous',
        said: say('ambiguous_sku', { products: found.products.length }),
        productIds: found.products.map((it) => it.id),
      })
    else {
      const { name, file } = found.reading
      matched.push({
        entry: { ...entry, name },
        file,
        product: { id: product.id, sku: product.sku, name: product.name, hasPicture: product.has_picture },
      })
    }
  }
  return { matched: orderByProduct(matched), missed }
}

/**
 * Finds products by the map alone: a name that the map lacks says nothing. Entries of the map
 * without a file are reported, too.
 */
async function matchByMap(db: Db, source: ImportSource, map: MapEntry[]): Promise<MatchResult> {
  const byPath = new Map(map.map((it) => [it.path, it]))
  const find = await findProducts(db, [...new Set(map.filter((it) => it.by !== 'product_id').map((it) => it.value))])
  const ids = map.filter((it) => it.by === 'product_id').map((it) => it.value)
  const named = await db.$queryRaw<Candidate[]>`
    select id, sku, zoho_item_id, exists (select 1 from photo where photo.product_id = product.id and photo.deleted_at is null) as has_picture
    from product where deleted_at is null and id = any(${ids}::uuid[])`
  const byId = new Map(named.map((it) => [it.id, it]))
  const productsOf = ({ by, value }: MapEntry): Candidate[] => {
    if (by === 'product_id') return [byId.get(value.toLowerCase())].flatMap((it) => it ?? [])
    const reading = { keys: [value], byZohoId: by === 'zoho_item_id' }
    return firstOf([false, true], (loose) => find(reading, { loose }))?.products ?? []
  }
  const used = new Set<string>()
  const matched: MatchedEntry[] = []
  const missed: UnmatchedEntry[] = []
  for (const entry of source.entries) {
    const file = readImportName(entry.name)?.file
    if (file === undefined) continue
    const mapped = findInMap(byPath, entry.name)
    if (mapped) used.add(mapped.path)
    const [product, ...others] = mapped ? productsOf(mapped) : []
    if (!mapped) missed.push({ entry, kind: 'unmatched', said: say('not_in_map'), productIds: [] })
    else if (entry.problem) missed.push({ entry, kind: 'unreadable', said: inEnglish(entry.problem), productIds: [] })
    else if (!product) missed.push({ entry, kind: 'unmatched', said: say('no_product.mapped', { value: mapped.value }), productIds: [] })
    else if (others.length > 0)
      missed.push({
        entry,
        kind: 'ambiguous',
        said: say('ambiguous_sku', { products: others.length + 1 }),
        productIds: [product, ...others].map((it) => it.id),
      })
    else matched.push({ entry, file, product: { id: product.id, sku: product.sku, name: product.name, hasPicture: product.has_picture } })
  }
  for (const { path } of map)
    if (!used.has(path)) missed.push({ entry: missingEntry(path), kind: 'unmatched', said: say('no_mapped_file'), productIds: [] })
  return { matched: orderByProduct(matched), missed }
}

const missingEntry = (name: string): ImportEntry => ({
  name,
  otherNames: [],
  size: 0,
  proven: false,
  problem: null,
  open: () => Promise.reject(new InvalidImageError('file_not_readable')),
})

/** Sorting is stable: equal entries stay in the source's order. */
function orderByProduct(matched: MatchedEntry[]): MatchedEntry[] {
  const groups = [...Map.groupBy(matched, (it) => it.product.id)].sort(([a], [b]) => (a < b ? -1 : 1))
  return groups.flatMap(([, files]) => files.toSorted((a, b) => frontRank(a.file) - frontRank(b.file)))
}

function firstOf<T, R>(list: T[], work: (it: T) => R | undefined): R | undefined {
  for (const it of list) {
    const result = work(it)
    if (result !== undefined) return result
  }
  return undefined
}

async function findProducts(db: Db, keys: string[]) {
  const products = await db.$queryRaw<Candidate[]>`
    with key as materialized (select name, ${looseSql(Prisma.sql`name`)} as loose from unnest(${keys}::text[]) as t(name))
    select id, sku, product.name, zoho_item_id, exists (select 1 from photo where photo.product_id = product.id and photo.deleted_at is null) as has_picture
    from product
    where deleted_at is null and (zoho_item_id in (select name from key) or ${looseSql(Prisma.sql`sku`)} in (select loose from key))
    order by id`
  const bySku = Map.groupBy(products, (it) => it.sku?.trim() ?? '')
  const byLooseSku = Map.groupBy(products, (it) => looseKey(it.sku ?? ''))
  const byZohoId = Map.groupBy(products, (it) => it.zoho_item_id ?? '')
  return <T extends { keys: string[]; byZohoId: boolean }>(reading: T, { loose }: { loose: boolean }) => {
    const found = firstOf(reading.keys, (key) => {
      if (loose) return looseKey(key) === '' ? undefined : byLooseSku.get(looseKey(key))
      return reading.byZohoId ? (byZohoId.get(key) ?? bySku.get(key)) : (bySku.get(key) ?? byZohoId.get(key))
    })
    return found && { reading, products: found }
  }
}

/** `looseKey` for PostgreSQL; equality is decided in code, so this may find more but never less. */
const looseSql = (text: Prisma.Sql): Prisma.Sql =>
  Prisma.sql`lower(regexp_replace(normalize(${text}, nfc), '[\\s\\u00a0\\u00ad\\u061c\\u1680\\u180e\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u3000\\ufeff]', '', 'g'))`

const FRONT_NAMES: readonly RegExp[] = [
  /(^|[^\p{L}])(front|أمام|أمامية|امام|امامية)([^\p{L}]|$)/iu,
  /(^|[^\p{L}])(main|primary|cover|رئيسية)([^\p{L}]|$)/iu,
  /(^|[^\p{L}\p{N}])0*1\)?$/u,
]

/**
 * Images of a product's front come first: 0 for `front`, 1 for `main`, 2 for `_1`, 3 for all
 * others.
 */
function frontRank(file: string): number {
  const stem = file.slice(0, file.length - extname(file).length).trim()
  const rank = FRONT_NAMES.findIndex((name) => name.test(stem))
  return rank < 0 ? FRONT_NAMES.length : rank
}

/**
 * Checks the first bytes of the matched files: a file that is no image is reported before anything
 * is imported. Decoding is left to the run.
 */
export async function detectFormats({ matched, missed }: MatchResult): Promise<MatchResult> {
  const readable: MatchedEntry[] = []
  for (const it of matched) {
    const type = detectFileType(await firstBytes(it.entry).catch(() => Buffer.alloc(0)))
    if (type !== 'not_an_image' && type !== 'unsupported') readable.push(it)
    else
      missed.push({
        entry: it.entry,
        kind: 'unreadable',
        said: say(type === 'unsupported' ? 'unsupported_format' : 'not_an_image.by_name'),
        productIds: [],
      })
  }
  return { matched: readable, missed }
}

async function firstBytes(entry: ImportEntry): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  const stream = await entry.open()
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= 4_096) break
  }
  return Buffer.concat(chunks).subarray(0, 4_096)
}

/** The plan as the API shows it; each list has at most `most` entries. */
export function serializePlan({ matched, missed }: MatchResult, most: number): ImportPlan {
  const of = (kind: UnmatchedEntry['kind']) =>
    missed
      .filter((it) => it.kind === kind)
      .slice(0, most)
      .map(({ entry, said: { code, message, params }, productIds }) => ({
        name: entry.name,
        code,
        message,
        params,
        ...(productIds.length > 0 && { product_ids: productIds }),
      }))
  return {
    matched: matched.slice(0, most).map(({ entry, product }, n) => ({
      name: entry.name,
      sku: product.sku,
      product_id: product.id,
      product_name: product.name,
      is_primary: !product.hasPicture && matched[n - 1]?.product.id !== product.id,
    })),
    ambiguous: of('ambiguous'),
    unmatched: of('unmatched'),
    unreadable: of('unreadable'),
  }
}
