import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type pg from 'pg'
import sharp from 'sharp'

// A photograph-sized JPEG of noise, and as many different ones as a shop has: bytes behind the end
// of a JPEG do not matter to it.
const noise = Buffer.from(Array.from({ length: 320 * 320 * 3 }, (_, n) => (n * 2_654_435_761) >>> 24))
export const image = await sharp(noise, { raw: { width: 320, height: 320, channels: 3 } })
  .jpeg({ quality: 92 })
  .toBuffer()
/** Files below `imagesDir` and their rows; answers the bytes. */
export async function addImages(client: pg.Client, { count, imagesDir }: { count: number; imagesDir: string }): Promise<number> {
  const rows: { sha256: string; md5: string; size: number }[] = []
  for (let n = 0; n < count; n++) {
    const bytes = Buffer.concat([image, Buffer.from(`picture ${n}`)])
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const path = join(imagesDir, 'originals', sha256.slice(0, 2), sha256)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, bytes)
    rows.push({ sha256, md5: createHash('md5').update(bytes).digest('hex'), size: bytes.length })
  }
  await client.query(
    `insert into blob (sha256, md5, size, content_type, ext, width, height)
     select sha256, md5, size, 'image/jpeg', 'jpg', 320, 320 from jsonb_to_recordset($1) as t(sha256 text, md5 text, size bigint)`,
    [JSON.stringify(rows)],
  )
  await client.query(
    `insert into variant (source_sha256, name, format, settings_id, sha256, md5, size, content_type, width, height)
     select sha256, v, 'webp', 'bench', sha256, md5, size, 'image/webp', 200, 200 from blob cross join unnest(array['thumb', 'medium']) v`,
  )
  await client.query(
    `insert into product (zoho_item_id, sku, name) select 'Z' || n, 'P' || n, 'Product ' || n from generate_series(1, $1::int) n`,
    [count],
  )
  await client.query(
    `insert into photo (product_id, source, sha256, filename, is_primary) select p.id, 'upload', b.sha256, p.sku || '.jpg', true
     from (select id, sku, row_number() over () as n from product) p join (select sha256, row_number() over () as n from blob) b using (n)`,
  )
  return rows.reduce((sum, row) => sum + row.size, 0)
}
