import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { edgeFolder, expectMirror, puller, sha256Of, shownFiles } from '../helpers/edge-folder.ts'
import { openFaultProxy } from '../helpers/fault-proxy.ts'
import { longTest } from '../helpers/long.ts'
import { startShop } from '../helpers/test-shop.ts'

longTest('a folder that another client has filled is taken over without fetching its pictures, also in place', async () => {
  const shop = await startShop()
  const store = await shop.addStore()
  const { photos } = await store.list()
  const line = await openFaultProxy(shop.url, {})
  onTestFinished(line.close)

  // Another client's names, in folders of its own; one picture is missing, one is damaged, and a
  // link leads elsewhere.
  const dir = await edgeFolder()
  await puller(store, shop.url, dir)()
  const other = await edgeFolder()
  await mkdir(join(other, 'pictures'))
  const [missing, damaged, ...rest] = photos
  for (const photo of [damaged!, ...rest]) {
    const [file] = (await shownFiles(dir)).filter((name) => name.startsWith(photo.id))
    await rename(join(dir, file!), join(other, 'pictures', `${photo.product_sku}.jpg`))
  }
  const broken = join(other, 'pictures', `${damaged!.product_sku}.jpg`)
  const bytes = await readFile(broken)
  bytes[50]! ^= 1
  await writeFile(broken, bytes)
  await symlink('/etc/hostname', join(other, 'link'))

  const fresh = await edgeFolder()
  const before = line.bytes()
  expect(await puller(store, line.url, fresh)({ adoptFrom: other })).toMatchObject({ adopted: 18, fetched: 2, failed: [] })
  await expectMirror(fresh, photos)
  const fetched = missing!.size + damaged!.size
  expect(line.bytes() - before - fetched).toBeLessThan(60_000)
  expect(await shownFiles(join(other, 'pictures'))).toHaveLength(19)

  // In place: the old names go, since the pictures are there under their own.
  expect(await puller(store, line.url, other)({ adoptFrom: other })).toMatchObject({ adopted: 18, fetched: 2, failed: [] })
  for (const photo of photos) {
    const file = (await shownFiles(other)).find((name) => name.startsWith(photo.id))
    expect(await sha256Of(join(other, file!))).toBe(photo.sha256)
  }
  expect(await shownFiles(join(other, 'pictures'))).toEqual([`${damaged!.product_sku}.jpg`])
})
