import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { longTest } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { startZinc, type TestZinc } from '../helpers/zinc.ts'

const broken = { body: 'no image at all', contentType: 'image/jpeg' }
const moduleOf = async (zinc: TestZinc, slug: string) => (await request(zinc, 'GET', `/modules/${slug}`)).body.data

longTest('a run whose only failure was dismissed is a success and moves last_sync', async () => {
  const zinc = await startZinc()
  const item = zinc.zoho.items().find((it) => it.image_document_id !== '')!
  zinc.zoho.fail({ path: new RegExp(`${item.item_id}/image`), times: 100, ...broken })
  expect((await zinc.sync('?sync_images=true')).status).toBe('partial')
  expect((await moduleOf(zinc, 'inventory')).last_sync).toBeNull()
  const { data } = (await request(zinc, 'GET', '/failures')).body
  await request(zinc, 'POST', '/failures/dismiss', { ids: [data[0].failures[0].id] })
  expect(await zinc.sync('?sync_images=true')).toMatchObject({ status: 'success', statistics: { images_failed: 1 } })
  const { last_sync, last_run } = await moduleOf(zinc, 'inventory')
  expect(last_sync).toBe(last_run.finished_at)
})

longTest('a dismissed failure beside an open one leaves the run partial', async () => {
  const zinc = await startZinc()
  const items = zinc.zoho.items().filter((it) => it.image_document_id !== '')
  const failing = items.slice(0, 2)
  for (const item of failing) zinc.zoho.fail({ path: new RegExp(`${item.item_id}/image`), times: 100, ...broken })
  await zinc.sync('?sync_images=true')
  const { data } = (await request(zinc, 'GET', '/failures')).body
  await request(zinc, 'POST', '/failures/dismiss', { ids: [data[0].failures[0].id] })
  expect((await zinc.sync('?sync_images=true')).status).toBe('partial')
})

longTest('a picture whose address is blocked does not keep last_sync from moving', async () => {
  const zinc = await startZinc()
  await zinc.sync()
  const item = zinc.zoho.items().find((it) => it.image_document_id === '')!
  const imports = join(zinc.dataDir, 'imports')
  await mkdir(imports, { recursive: true })
  await writeFile(join(imports, 'items.json'), JSON.stringify([{ zoho_item_id: item.item_id, name: item.name, sku: item.sku }]))
  await writeFile(join(imports, 'image_mappings.json'), JSON.stringify({ [item.item_id]: 'http://10.0.0.1/a.jpg' }))
  await zinc.sync('?source=file&file=items.json&sync_images=true')
  const after = await zinc.sync('?sync_images=true')
  expect(after).toMatchObject({ status: 'success', errors: [{ code: 'image_url_blocked' }] })
  const { last_sync, last_run } = await moduleOf(zinc, 'inventory')
  expect([last_run.id, last_sync]).toEqual([after.run_id, last_run.finished_at])
})

longTest.each(['inventory', 'crm', 'books'])('last_run.calls of %s are the calls that Zoho got for the run', async (slug) => {
  const zinc = await startZinc({ crmRows: 5 })
  const { run_id } = (await request(zinc, 'POST', `/modules/${slug}/sync`)).body
  const calls = await zinc.services.db.zohoCall.count({ where: { run_id } })
  expect(calls).toBeGreaterThan(0)
  expect((await moduleOf(zinc, slug)).last_run.calls).toBe(calls)
})
