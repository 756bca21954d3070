import type { Prisma, Product } from '../generated/client.ts'
import { type FieldValue, fieldSpec, ITEM_FIELD_NAMES, ItemAttribute, type ItemFieldName, type ItemFields } from '../schemas/item-fields.ts'
import type { Price, Product as ProductResponse } from '../schemas/products.ts'
import type { ProductWithPhotos } from './find-product.ts'
import { type ImageUrlOptions, imageName, imageSource, serializeImage } from './serialize-image.ts'

/** A product's position in the change feed. */
export interface FeedPosition {
  seq: number
  changed_at: Date
}

/**
 * Returns a product as the API, the change feed and exports show it: decimals as strings, times in
 * ISO 8601, images with the primary's URL.
 */
export function serializeProduct(
  product: ProductWithPhotos,
  { position, prices }: { position: FeedPosition; prices: Price[] },
  shown: ImageUrlOptions,
): ProductResponse {
  const { photos, stock, detail, ...row } = product
  const name = imageName(row)
  const primary = photos.find((photo) => photo.is_primary)
  const { imageUrl, now } = shown
  const primaryUrl = primary ? imageUrl({ name, ext: primary.blob.ext, sha256: primary.sha256, now }) : null
  return {
    id: row.id,
    ...serializeItem(row),
    ...serializeStock(row, stock, detail?.stock_as_of ?? null),
    prices,
    zoho_item_id: row.zoho_item_id,
    origin: row.origin as ProductResponse['origin'],
    image_path: primary ? `images/item/${name}.${primary.blob.ext}` : null,
    image_url: primaryUrl,
    image_source: primary ? imageSource(primary) : null,
    image_state: row.image_state,
    has_image: primary !== undefined,
    images: photos.map((photo) => serializeImage(row, photo, shown)),
    videos: [],
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    deleted_at: row.deleted_at?.toISOString() ?? null,
    seq: position.seq,
    changed_at: position.changed_at.toISOString(),
  }
}

/**
 * Returns the product's JSON with Zoho's row as its last member; parsing and serializing the row
 * would round long numbers.
 */
export const withRaw = (product: ProductResponse, raw: string | undefined): string =>
  `${JSON.stringify(product).slice(0, -1)},"raw":${raw ?? 'null'}}`

/** One field as it is shown: decimals as strings. */
function shownValue<F extends ItemFieldName>(row: Product, field: F): FieldValue<F> {
  const value = row[field]
  const { kind } = fieldSpec(field)
  const shown = kind === 'decimal' ? ((value as Prisma.Decimal | null)?.toFixed() ?? null) : value
  return (kind === 'options' ? ItemAttribute.array().catch([]).parse(value) : shown) as FieldValue<F>
}

/** Returns every field under the name of its column, for a CSV. */
export const flatItem = (row: Product): { [F in ItemFieldName]: FieldValue<F> } =>
  Object.fromEntries(ITEM_FIELD_NAMES.map((field) => [field, shownValue(row, field)])) as { [F in ItemFieldName]: FieldValue<F> }

/** Returns the fields of a product as the API shows them, with related ones in one object. */
export function serializeItem(row: Product): ItemFields {
  const { custom_fields: custom } = row
  const { category, category_id, tax_id, tax_name, tax_percentage, group_id, group_name, ...of } = flatItem(row)
  const { length, width, height, dimension_unit, weight, weight_unit } = of
  const isMeasured = length !== null || width !== null || height !== null
  return {
    sku: of.sku,
    name: of.name,
    name_en: of.name_en,
    name_ar: of.name_ar,
    description: of.description,
    cost_price: of.cost_price,
    selling_price: of.selling_price,
    currency: of.currency,
    stock_on_hand: of.stock_on_hand,
    status: of.status === 'inactive' ? 'inactive' : 'active',
    upc: of.upc,
    ean: of.ean,
    isbn: of.isbn,
    part_number: of.part_number,
    brand: of.brand,
    manufacturer: of.manufacturer,
    unit: of.unit,
    item_type: of.item_type,
    product_type: of.product_type,
    category: category === null ? null : { id: category_id, name: category },
    tax:
      tax_id === null && tax_name === null && tax_percentage === null ? null : { id: tax_id, name: tax_name, percentage: tax_percentage },
    reorder_level: of.reorder_level,
    dimensions: isMeasured ? { length, width, height, unit: dimension_unit } : null,
    weight: weight === null ? null : { value: weight, unit: weight_unit },
    is_combo: of.is_combo,
    group: group_id === null ? null : { id: group_id, name: group_name },
    attributes: of.attributes,
    custom_fields: typeof custom === 'object' && custom !== null && !Array.isArray(custom) ? custom : {},
  }
}

const quantity = (value: Prisma.Decimal | null): string | null => value?.toFixed() ?? null

/**
 * Stock in total and by location. Of what Zoho does not track, or was not read yet, there is no
 * location. Committed stock is known by location only.
 */
export function serializeStock(row: Product, locations: ProductWithPhotos['stock'], asOf: Date | null): Pick<ProductResponse, 'stock'> {
  const committed = locations.flatMap((it) => it.committed ?? [])
  return {
    stock: {
      on_hand: shownValue(row, 'stock_on_hand'),
      available: shownValue(row, 'available_stock'),
      actual_available: shownValue(row, 'actual_available_stock'),
      committed: quantity(committed.reduce<Prisma.Decimal | null>((sum, it) => sum?.add(it) ?? it, null)),
      by_location: locations.flatMap((it) =>
        asOf === null
          ? []
          : {
              location_id: it.location_id,
              name: it.location.name,
              on_hand: quantity(it.on_hand),
              available: quantity(it.available),
              actual_available: quantity(it.actual_available),
              committed: quantity(it.committed),
              as_of: asOf.toISOString(),
            },
      ),
    },
  }
}
