import { glob, readFile, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
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
