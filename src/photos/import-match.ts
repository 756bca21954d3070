import type { ImportPlan } from '../contract/pictures.ts'
import type { Db } from '../db.ts'
import { readImportName } from './import-layout.ts'
import type { ImportEntry, ImportSource } from './import-source.ts'
import { sniff } from './judge.ts'

export interface MatchedEntry {
  entry: ImportEntry
  file: string
  product: { id: string; sku: string | null }
}
export interface MissedEntry {
  entry: ImportEntry
  kind: 'ambiguous' | 'unmatched' | 'unreadable'
  code: string
  message: string
  productIds: string[]
}
export interface Matching {
  /** In the order of product and name, the same at every look. */
  matched: MatchedEntry[]
  missed: MissedEntry[]
}

/** What JavaScript's `trim` takes away, for PostgreSQL's. */
const BLANKS =
  ' \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff'
const natural = new Intl.Collator('en', { numeric: true })

/** Which product each file belongs to, asked of the database once for all of them. Names that are no pictures (folders, system files) are left out. */
export async function matchEntries(db: Db, source: ImportSource): Promise<Matching> {
  const named = source.entries.flatMap((entry) => {
    const name = readImportName(entry.name)
    return name ? [{ entry, name }] : []
  })
  const keys = [...new Set(named.flatMap(({ name }) => name.keys.map((key) => key.trim())))]
  const products = await db.$queryRaw<{ id: string; sku: string | null; zoho_item_id: string | null }[]>`
    select id, sku, zoho_item_id from product
    where deleted_at is null and (btrim(sku, ${BLANKS}) = any(${keys}::text[]) or zoho_item_id = any(${keys}::text[]))`
  const bySku = Map.groupBy(products, (it) => it.sku?.trim() ?? '')
  const byZohoId = Map.groupBy(products, (it) => it.zoho_item_id ?? '')
  const matched: MatchedEntry[] = []
  const missed: MissedEntry[] = []
  for (const { entry, name } of named) {
    if (entry.problem) {
      missed.push({ entry, kind: 'unreadable', ...entry.problem, productIds: [] })
      continue
    }
    const found = name.keys
      .map((key) => key.trim())
      .filter((key) => key !== '')
      .map((key) => (name.byZohoId ? (byZohoId.get(key) ?? bySku.get(key)) : (bySku.get(key) ?? byZohoId.get(key))))
      .find((it) => it !== undefined)
    const [product] = found ?? []
    if (!product)
      missed.push({ entry, kind: 'unmatched', code: 'no_product', message: 'No product has this SKU or Zoho id', productIds: [] })
    else if (found && found.length > 1)
      missed.push({
        entry,
        kind: 'ambiguous',
        code: 'several_products',
        message: `${found.length} products have this SKU; name the file by the Zoho id`,
        productIds: found.map((it) => it.id),
      })
    else matched.push({ entry, file: name.file, product: { id: product.id, sku: product.sku } })
  }
  matched.sort((a, b) => (a.product.id < b.product.id ? -1 : a.product.id > b.product.id ? 1 : natural.compare(a.entry.name, b.entry.name)))
  return { matched, missed }
}

/** Looks at the first bytes of what matched: what is no picture is told before anything is taken. Decoding comes with the run. */
export async function lookInside({ matched, missed }: Matching): Promise<Matching> {
  const readable: MatchedEntry[] = []
  for (const it of matched) {
    const verdict = sniff(await firstBytes(it.entry).catch(() => Buffer.alloc(0)))
    if (verdict !== 'not_an_image' && verdict !== 'unsupported') readable.push(it)
    else
      missed.push({
        entry: it.entry,
        kind: 'unreadable',
        code: verdict === 'unsupported' ? 'unsupported_format' : 'not_an_image',
        message: verdict === 'unsupported' ? 'This format is not taken; use JPEG, PNG, GIF, WebP, AVIF or BMP' : 'This is not a picture',
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

/** As the API shows it; each list holds at most `most` entries. */
export function planAnswer({ matched, missed }: Matching, most: number): ImportPlan {
  const of = (kind: MissedEntry['kind']) =>
    missed
      .filter((it) => it.kind === kind)
      .slice(0, most)
      .map(({ entry, code, message, productIds }) => ({
        name: entry.name,
        code,
        message,
        ...(productIds.length > 0 && { product_ids: productIds }),
      }))
  return {
    matched: matched.slice(0, most).map(({ entry, product }) => ({ name: entry.name, sku: product.sku, product_id: product.id })),
    ambiguous: of('ambiguous'),
    unmatched: of('unmatched'),
    unreadable: of('unreadable'),
  }
}
