import { expect, test } from 'vitest'
import { readZipDirectory, readZipImage } from '../../src/web/pages/products-import/zip-images.ts'
import { drawnImage } from '../helpers/images.ts'
import { zipOf } from '../helpers/zip.ts'

test('the page reads each image out of a ZIP as it was packed, and nothing out of other files', async () => {
  const image = await drawnImage()
  const text = Buffer.from('the same words again and again, '.repeat(400))
  const zip = new Blob([new Uint8Array(await zipOf({ 'SPE-1/front.png': image, 'صورة/ملف.png': text }))])
  const directory = await readZipDirectory(zip)
  expect([...directory.keys()].toSorted()).toEqual(['SPE-1/front.png', 'صورة/ملف.png'].toSorted())
  for (const [name, bytes] of [
    ['SPE-1/front.png', image],
    ['صورة/ملف.png', text],
  ] as const) {
    const read = await readZipImage(zip, directory.get(name)!)
    expect(Buffer.from(await read!.arrayBuffer()).equals(bytes)).toBe(true)
  }
  for (const other of [image, Buffer.alloc(0), Buffer.alloc(70_000, 7)])
    expect((await readZipDirectory(new Blob([new Uint8Array(other)]))).size).toBe(0)
})
