import { glob, readFile, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import type { PullProgress } from '../../src/edge-client/pull.ts'
import { readEdgeStatus } from '../../src/edge-client/status.ts'
import { edgeFolder, puller } from '../helpers/edge-folder.ts'
import { startShop } from '../helpers/test-shop.ts'

test('the status of a folder tells contact, pictures, what is missing and what failed', async () => {
  const shop = await startShop()
  const store = await shop.addStore()
  const dir = await edgeFolder()
  expect(await readEdgeStatus(dir)).toEqual({ last_contact_at: null, behind: 0, pictures: 0, bytes: 0, errors: [] })

  // One picture is damaged at head office.
  const { photos } = await store.list()
  const [damaged] = photos
  const [original] = await Array.fromAsync(glob(`${shop.dataDir}/images/**/${damaged!.sha256}*`))
  const bytes = await readFile(original!)
  await writeFile(original!, Buffer.alloc(damaged!.size))
  const began = new Date().toISOString()
  expect((await puller(store, shop.url, dir)()).failed).toHaveLength(1)
  const all = photos.reduce((sum, { size }) => sum + size, 0)
  const partial = await readEdgeStatus(dir)
  expect(partial).toMatchObject({ behind: 1, pictures: photos.length - 1, bytes: all - damaged!.size })
  expect(partial.errors).toMatchObject([{ photo_id: damaged!.id, error: expect.stringMatching(/announced|listed|damaged/) }])
  expect(partial.last_contact_at! >= began).toBe(true)

  await writeFile(original!, bytes)
  await puller(store, shop.url, dir)()
  expect(await readEdgeStatus(dir)).toMatchObject({ behind: 0, pictures: photos.length, bytes: all, errors: [] })
})

test('a pull never shows more than 100 %, and its bytes are those that head office counts', async () => {
  const shop = await startShop()
  const store = await shop.addStore()
  const { photos } = await store.list()
  const all = photos.reduce((sum, { size }) => sum + size, 0)
  const run = puller(store, shop.url, await edgeFolder())
  const seen: PullProgress[] = []
  const { bytes } = await run({ onProgress: (progress) => void seen.push({ ...progress }) })
  expect(seen.filter((one) => one.done > one.total || one.bytes > one.bytesTotal)).toEqual([])
  expect(seen.at(-1)).toMatchObject({ done: photos.length, total: photos.length, bytes: all, bytesTotal: all })
  const { body } = await shop.send('GET', `/api/v1/sync/stores/${store.id}`)
  expect([bytes, body.data]).toEqual([all, expect.objectContaining({ bytes_served: all, bytes_synced: all })])

  // A wanted variant whose size the list does not have.
  const ofThumbs = puller(store, shop.url, await edgeFolder())
  await ofThumbs({ variant: 'thumb', onProgress: (progress) => void seen.push({ ...progress }) })
  const { done, total, bytes: stored, bytesTotal } = seen.at(-1)!
  expect([done, stored]).toEqual([total, bytesTotal])
})
