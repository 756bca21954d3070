import { z } from 'zod'
import { CoverageKey } from './coverage.ts'
import { ItemFields } from './item-fields.ts'
import { RecordOutcome } from './sync-plan.ts'

export const ImageSource = z.object({
  kind: z.enum(['zoho', 'upload', 'url', 'import']),
  document_id: z.string().optional(),
  url: z.string().optional(),
})

export const ProductImage = z.object({
  id: z.uuid(),
  url: z.string().nullable(),
  /** The same URL, under its name on products and in the photo list. */
  image_url: z.string().nullable(),
  filename: z.string(),
  size: z.number(),
  content_type: z.string(),
  checksum: z.string(),
  sha256: z.string(),
  width: z.number(),
  height: z.number(),
  version: z.number(),
  is_primary: z.boolean(),
  sort_order: z.number(),
  alt_en: z.string().nullable(),
  alt_ar: z.string().nullable(),
  damaged: z.boolean(),
  image_source: ImageSource,
  updated_at: z.iso.datetime(),
})
export type ProductImage = z.infer<typeof ProductImage>

const quantity = z.string().nullable()
/** Decimal strings; null where Zoho does not track the item, or sent no value. */
const StockFigures = { on_hand: quantity, available: quantity, actual_available: quantity, committed: quantity }
export const Stock = z.object({
  ...StockFigures,
  by_location: z.array(z.object({ location_id: z.string(), name: z.string(), ...StockFigures, as_of: z.iso.datetime() })),
})
export const Price = z.object({
  price_list_id: z.string(),
  name: z.string(),
  type: z.enum(['sales', 'purchase']),
  currency: z.string().nullable(),
  /** Null where there are brackets. */
  price: z.string().nullable(),
  brackets: z.array(z.object({ from: z.string(), to: z.string().nullable(), price: z.string() })).optional(),
})

export type Price = z.infer<typeof Price>

export const Product = z.object({
  id: z.uuid(),
  ...ItemFields.shape,
  stock: Stock,
  prices: z.array(Price),
  zoho_item_id: z.string().nullable(),
  /** Its source: Zoho, a file, or the ERP. */
  origin: z.enum(['zoho', 'file', 'erp']),
  image_path: z.string().nullable(),
  image_url: z.string().nullable(),
  image_source: ImageSource.nullable(),
  image_state: z.string(),
  has_image: z.boolean(),
  images: z.array(ProductImage),
  videos: z.array(z.unknown()),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  deleted_at: z.iso.datetime().nullable(),
  /** Its number in the change feed, and the time of that change. */
  seq: z.int(),
  changed_at: z.iso.datetime(),
  /** With `include=raw`: Zoho's row as it was received; null where there is none. */
  raw: z.unknown().optional(),
})
export type Product = z.infer<typeof Product>

const time = z.string().max(60)
const name = z.string().min(1).max(500)
/** What may be added to a product. */
export const Include = z.enum(['raw'])

/**
 * The sort order of a list; a leading `-` reverses it. Products without a value come last either
 * way.
 */
const SORTS = ['name', 'sku', 'selling_price', 'stock_on_hand', 'updated_at', 'created_at'] as const
export const ProductSort = z.enum(SORTS.flatMap((column) => [column, `-${column}`] as const))
export type ProductSort = z.infer<typeof ProductSort>

const ProductFilterQuery = z.object({
  /**
   * Words in any order: of the names, the SKU, Zoho's id, or a barcode with or without leading
   * zeros.
   */
  search: z.string().max(200).optional(),
  has_image: z.stringbool().optional(),
  /** Only products that lack this; see GET …/coverage. */
  coverage: CoverageKey.optional(),
  status: z.enum(['active', 'inactive']).optional(),
  /** The name of a category, of a brand. */
  category: name.optional(),
  brand: name.optional(),
  group_id: name.optional(),
  /** In this active price list. */
  price_list_id: name.optional(),
  /** True: in stock; false: all others, including what Zoho does not track. */
  in_stock: z.stringbool().optional(),
  /** A location's id: with `in_stock` its stock counts; alone, products that are kept there. */
  location_id: name.optional(),
  /** Changed here at this time or later, with its images, stock and prices. */
  modified_since: time.optional(),
  include_deleted: z.stringbool().default(false),
  sort: ProductSort.default('created_at'),
})
export type ProductFilterQuery = z.infer<typeof ProductFilterQuery>

/** `GET /api/products` */
export const ProductsQuery = ProductFilterQuery.extend({
  include: Include.optional(),
  cursor: z.string().max(8000).optional(),
  /** Number of products to skip, instead of a cursor. */
  offset: z.coerce.number().int().min(0).max(10_000_000).optional(),
  /** Also return how many products match. */
  total: z.stringbool().default(false),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
export type ProductsQuery = z.infer<typeof ProductsQuery>

/** `GET /api/products/changes` */
export const ProductChangesQuery = z.object({
  /**
   * Where the previous page ended; `latest`: the present end; without one every product, then the
   * changes.
   */
  cursor: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(200),
  /** Seconds to wait for a change when there is none yet. */
  wait: z.coerce.number().min(0).max(60).default(0),
  include: Include.optional(),
})
export const ProductChange = z.object({
  seq: z.int(),
  change: z.enum(['upsert', 'delete']),
  changed_at: z.iso.datetime(),
  /** What changed after the cursor; `*`: new to this reader, or no longer known. */
  changed_fields: z.array(z.string()),
  id: z.uuid(),
  zoho_item_id: z.string().nullable(),
  sku: z.string().nullable(),
  product: Product.nullable(),
})
export const ProductChangesResponse = z.object({
  status: z.literal('success'),
  data: z.array(ProductChange),
  next_cursor: z.string(),
  has_more: z.boolean(),
  server_time: z.iso.datetime(),
})

/** `GET /api/products`. `total` only on request. */
export const ProductsResponse = z.object({
  status: z.literal('success'),
  data: z.array(Product),
  next_cursor: z.string().nullable(),
  total: z.int().optional(),
})
export type ProductsResponse = z.infer<typeof ProductsResponse>

/** `GET /api/products/{id}/history`: what the runs of the last 30 days changed, newest first. */
export const ProductHistoryResponse = z.object({
  status: z.literal('success'),
  data: z.array(
    z.object({
      run_id: z.uuid(),
      started_by: z.string().nullable(),
      at: z.iso.datetime(),
      outcome: RecordOutcome,
      /** Field to [before, after]; empty for a new or removed product. */
      changes: z.record(z.string(), z.tuple([z.unknown(), z.unknown()])),
    }),
  ),
  next_cursor: z.null(),
})
export type ProductHistory = z.infer<typeof ProductHistoryResponse>['data']

/** `GET /api/products/cursors`: where each further page of a list begins. */
export const ProductCursorsQuery = ProductFilterQuery.extend({ limit: z.coerce.number().int().min(50).max(500).default(100) })
export const ProductCursorsResponse = z.object({
  status: z.literal('success'),
  /** The cursors of the second page, the third, and so on; the first page needs none. */
  data: z.array(z.string()),
  next_cursor: z.null(),
})
export type ProductCursorsResponse = z.infer<typeof ProductCursorsResponse>

const Facet = z.object({ name: z.string(), products: z.int() })
/** `GET /api/products/facets`: the values that a list can be filtered by, each by name. */
export const ProductFacetsResponse = z.object({
  status: z.literal('success'),
  data: z.object({ categories: z.array(Facet), brands: z.array(Facet), groups: z.array(Facet.extend({ id: z.string() })) }),
})
export type ProductFacets = z.infer<typeof ProductFacetsResponse>['data']

/** `GET /api/products/categories`: what an assortment can name. */
export const Category = z.object({ name: z.string(), products: z.number() })
export type Category = z.infer<typeof Category>
export const CategoriesResponse = z.object({ status: z.literal('success'), data: z.array(Category), next_cursor: z.null() })
