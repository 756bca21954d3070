import { createHash } from 'node:crypto'
import type pg from 'pg'

export const fakeSha = (n: number): string => createHash('sha256').update(`blob ${n}`).digest('hex')

/**
 * Rows of pictures that have no files: enough for everything but downloads. Blob n has the sha256
 * of `fakeSha(n)`.
 */
export async function addBlobs(client: pg.Client, count: number): Promise<void> {
  await client.query(
    `insert into blob (sha256, md5, size, content_type, ext, width, height)
     select encode(sha256(convert_to('blob ' || n, 'UTF8')), 'hex'), md5('blob ' || n), 1000 + n, 'image/jpeg', 'jpg', 800, 600 from generate_series(1, $1::int) n`,
    [count],
  )
  await client.query(
    `insert into variant (source_sha256, name, format, settings_id, sha256, md5, size, content_type, width, height)
     select b.sha256, v, 'webp', 'test', md5(b.sha256 || v) || md5(v || b.sha256), md5(v || b.md5), b.size / case v when 'thumb' then 10 else 3 end, 'image/webp', 200, 150
     from blob b cross join unnest(array['thumb', 'medium']) v`,
  )
}

/**
 * Products P1, P2 … of ten categories, every third sold out, with one primary photo each unless
 * there are no blobs.
 */
export async function addProducts(client: pg.Client, count: number, { blobs }: { blobs: number }): Promise<void> {
  await client.query(
    `insert into product (zoho_item_id, sku, name, category, stock_on_hand, image_state)
     select 'Z' || n, 'P' || n, 'Product ' || n || ' منتج', 'C' || n % 10, n % 3, 'stored' from generate_series(1, $1::int) n`,
    [count],
  )
  if (blobs === 0) return
  await client.query(
    `insert into photo (product_id, source, sha256, filename, is_primary)
     select p.id, 'upload', encode(sha256(convert_to('blob ' || (substr(p.sku, 2)::int % $1 + 1), 'UTF8')), 'hex'), p.sku || '.jpg', true
     from product p order by substr(p.sku, 2)::int`,
    [blobs],
  )
}
