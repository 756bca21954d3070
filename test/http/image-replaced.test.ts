import { expect } from 'vitest'
import { drawImage } from '../../src/zoho-simulator/draw-image.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { hashOf } from '../helpers/hash.ts'
import { longTest, times } from '../helpers/long.ts'
import { startShop } from '../helpers/test-shop.ts'

const MEGABYTES = [1, 4, 8]
/** A round reads each picture twelve times. */
const ROUNDS = times(1, 84)
const BEGUN_BEFORE = 2
const READ_MEANWHILE = 3
const items = createSeed({ count: MEGABYTES.length, allImages: true })
const small = drawImage({ seed: 1, category: 'Phones' })

/**
 * All pictures of an item have one length and differ in every byte behind the first: a mixed body
 * would have the right length.
 */
async function imageOf({ image_seed, item_id }: { image_seed: number; item_id?: string }): Promise<Buffer> {
  const size = MEGABYTES[items.findIndex((it) => it.item_id === item_id)]! * 1024 * 1024
  const drawn = await small
  return Buffer.concat([drawn, Buffer.alloc(size - drawn.length, image_seed % 251)])
}

/** A body of which the first bytes are here; the rest comes when it is asked for. */
async function begin(response: Response) {
  const reader = response.body!.getReader()
  const first = await reader.read()
  return async () => {
    const chunks = [first.value!]
    for (let more = await reader.read(); !more.done; more = await reader.read()) chunks.push(more.value)
    return read(response, Buffer.concat(chunks))
  }
}
/** The hash of a body that is what its head says. */
function read(response: Response, body: Buffer): string {
  const hash = hashOf(body)
  expect([response.status, response.headers.get('content-length'), response.headers.get('etag')]).toEqual([
    200,
    String(body.length),
    `"${hash}"`,
  ])
  return hash
}

longTest('a picture replaced while it is read arrives old or new, never mixed', async () => {
  const shop = await startShop({ items, imageOf })
  const store = await shop.addStore()
  const { photos } = await store.list()
  expect(photos.map((it) => Math.round(it.size / 1024 / 1024)).sort()).toEqual(MEGABYTES)
  const addresses = items.flatMap(({ item_id }, n) => {
    const photo = photos.find((it) => it.size === MEGABYTES[n]! * 1024 * 1024)!
    return [
      { item_id, get: () => shop.call(`/api/data/images/item/${item_id}.jpg`) },
      { item_id, get: () => store.download(photo.id) },
    ]
  })
  let reads = 0
  const seen = { old: 0, new: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    const hashes = new Map<string, { old: string; new: string }>()
    const begun = []
    for (const { item_id, get } of addresses) {
      const old = hashOf(await shop.zoho.imageBytes(item_id))
      for (let n = 0; n < BEGUN_BEFORE; n++) begun.push({ old, finish: await begin(await get()) })
      hashes.set(item_id, { old, new: '' })
    }
    for (const [n, [item_id, pair]] of [...hashes].entries()) {
      shop.zoho.edit(item_id, { image_document_id: `9990000000${round}${n}`, image_seed: 100 + round * MEGABYTES.length + n })
      pair.new = hashOf(await shop.zoho.imageBytes(item_id))
    }
    let over = false
    const sync = shop.sync('?sync_images=true').finally(() => {
      over = true
    })
    const meanwhile = addresses.map(async ({ item_id, get }) => {
      const pair = hashes.get(item_id)!
      for (let last = false, n = 0; !last; n++) {
        // A few while it goes on, and one behind it: more would only keep the sync from ending.
        if (n === READ_MEANWHILE) await sync
        last = over
        const response = await get()
        const hash = read(response, Buffer.from(await response.arrayBuffer()))
        expect([pair.old, pair.new]).toContain(hash)
        // What is asked for after the replacement is the new one.
        if (last) expect(hash).toBe(pair.new)
        seen[hash === pair.new ? 'new' : 'old']++
        reads++
      }
    })
    expect((await sync).statistics).toMatchObject({ images_downloaded: MEGABYTES.length, images_failed: 0 })
    await Promise.all(meanwhile)
    for (const { old, finish } of begun) expect(await finish()).toBe(old)
    reads += begun.length
  }
  expect(reads).toBeGreaterThanOrEqual(ROUNDS * addresses.length * (BEGUN_BEFORE + 1))
  expect(seen.old).toBeGreaterThan(0)
})
