import { Prisma } from '../generated/client.ts'
import type { FeedPhotoRow } from './serialize-photo.ts'

/** A row of a page: the photo, its place in the page's order, and what this store sees of it. */
export interface PageRow extends FeedPhotoRow {
  /** The position, or in the order of change the number of the change. */
  place: number
  /** When the store could first see its present state. */
  at: string
  /** Whether the store has it now; otherwise this is a tombstone. */
  sold: boolean
}

/**
 * A row as PostgreSQL sends it: values without names, since the names of a page would double the
 * bytes to write and parse.
 */
export type PackedRow = [
  ...[place: number, at: string, sold: boolean, id: string, product_id: string, sku: string | null, name: string],
  ...[zoho_item_id: string | null, filename: string, version: number, is_primary: boolean, sort_order: number, source: string],
  ...[document_id: string | null, source_url: string | null, live: boolean, sha256: string, md5: string, size: number],
  ...[content_type: string, ext: string, width: number, height: number],
  ...[medium_sha256: string | null, medium_md5: string, medium_size: number, medium_content_type: string],
  ...[medium_width: number, medium_height: number],
  ...[thumb_sha256: string | null, thumb_md5: string, thumb_size: number, thumb_content_type: string],
  ...[thumb_width: number, thumb_height: number],
]

/** Of the selected photos `c` and their columns `f`, in the order of `PackedRow`. */
export const packedRow = Prisma.sql`json_build_array(c.place, c.at at time zone 'utc', c.sold and f.live, f.id, f.product_id, f.sku, f.name,
  f.zoho_item_id, f.filename, f.version, f.is_primary, f.sort_order, f.source, f.document_id, f.source_url, f.live, f.sha256, f.md5, f.size,
  f.content_type, f.ext, f.width, f.height,
  f.medium_sha256, f.medium_md5, f.medium_size, f.medium_content_type, f.medium_width, f.medium_height,
  f.thumb_sha256, f.thumb_md5, f.thumb_size, f.thumb_content_type, f.thumb_width, f.thumb_height)`

export function unpackRow(packed: PackedRow): PageRow {
  return {
    place: packed[0],
    at: packed[1],
    sold: packed[2],
    id: packed[3],
    product_id: packed[4],
    sku: packed[5],
    name: packed[6],
    zoho_item_id: packed[7],
    filename: packed[8],
    version: packed[9],
    is_primary: packed[10],
    sort_order: packed[11],
    source: packed[12],
    document_id: packed[13],
    source_url: packed[14],
    live: packed[15],
    sha256: packed[16],
    md5: packed[17],
    size: packed[18],
    content_type: packed[19],
    ext: packed[20],
    width: packed[21],
    height: packed[22],
    medium_sha256: packed[23],
    medium_md5: packed[24],
    medium_size: packed[25],
    medium_content_type: packed[26],
    medium_width: packed[27],
    medium_height: packed[28],
    thumb_sha256: packed[29],
    thumb_md5: packed[30],
    thumb_size: packed[31],
    thumb_content_type: packed[32],
    thumb_width: packed[33],
    thumb_height: packed[34],
  }
}
