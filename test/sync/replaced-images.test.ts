import { expect } from 'vitest'
import { longTest } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { startZinc } from '../helpers/zinc.ts'

const DAY = { perMinute: null, perDay: 50, inFlight: null, blockMs: 60_000 }

longTest('an image replaced under its id comes with the next run, and only edited items are asked for', async () => {
  const zinc = await startZinc({ synced: true, toggles: { imageMakesNewDocument: false } })
  const { zoho, sync, services } = zinc
  const [replaced, priced] = zoho.items().filter((item) => item.image_document_id !== '')
  const photo = () => services.db.photo.findFirstOrThrow({ where: { product: { zoho_item_id: replaced!.item_id }, deleted_at: null } })
  const before = await photo()
  zoho.replaceImage(replaced!.item_id, 88_001)
  zoho.edit(priced!.item_id, { rate: 3 })
  const { images } = zoho.counters
  const plan = await request(zinc, 'POST', '/sync/item/plan?sync_images=true')
  expect(plan.body.data.calls).toMatchObject({ list: 1, images: 2, total: 3 })
  const calls = zoho.meter.calls
  expect((await sync('?sync_images=true')).status).toBe('success')
  expect(zoho.meter.calls - calls).toBe(plan.body.data.calls.total)
  expect(zoho.counters.images - images).toBe(2)
  expect(await photo()).toMatchObject({ id: before.id, version: before.version + 1 })
  // An idle run asks for no image, a full one neither.
  await sync('?sync_images=true')
  await sync('?sync_images=true&mode=full')
  expect(zoho.counters.images - images).toBe(2)
  // Neighbours: one that a person has deleted here does not come back, and one that Zoho cannot
  // send now stays and is asked for again.
  const { id } = await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: priced!.item_id } })
  const { id: image } = await services.db.photo.findFirstOrThrow({ where: { product_id: id, deleted_at: null } })
  expect((await zinc.call(`/api/products/${id}/images/${image}`, { method: 'DELETE' })).status).toBe(200)
  zoho.edit(priced!.item_id, { rate: 4 })
  zoho.replaceImage(replaced!.item_id, 88_002)
  zoho.fail({ path: new RegExp(`${replaced!.item_id}/image`), times: 5, body: '<html>busy</html>', contentType: 'text/html' })
  await sync('?sync_images=true')
  expect(await services.db.photo.count({ where: { product_id: id, deleted_at: null } })).toBe(0)
  expect((await photo()).version).toBe(before.version + 1)
  await sync('?sync_images=true')
  expect((await photo()).version).toBe(before.version + 2)
})

longTest('an image that Zoho named before it could send it comes once the item is edited, and not before', async () => {
  const zinc = await startZinc({ synced: true })
  const { zoho, sync, services } = zinc
  // Zoho's times are whole seconds, and these edits follow each other faster.
  const edit = (rate: number) => zoho.edit(item.item_id, { rate, modified: new Date((Math.floor(Date.now() / 1_000) + rate) * 1_000) })
  const item = zoho.items().find(({ image_document_id }) => image_document_id === '')!
  const state = async () => (await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: item.item_id } })).image_state
  const path = new RegExp(`${item.item_id}/image`)
  zoho.edit(item.item_id, { image_document_id: '4600000000099000001', image_name: 'late.jpg' })
  zoho.fail({ path, times: 2, status: 404, body: '{"code":1002,"message":"Image does not exist."}', contentType: 'application/json' })
  await sync('?sync_images=true')
  expect(await state()).toBe('none')
  const { images } = zoho.counters
  await sync('?sync_images=true')
  expect([await state(), zoho.counters.images - images]).toEqual(['none', 0])
  // Edited, and still without: asked for once.
  edit(1)
  await sync('?sync_images=true')
  await sync('?sync_images=true')
  expect(await state()).toBe('none')
  edit(2)
  const plan = await request(zinc, 'POST', '/sync/item/plan?sync_images=true')
  expect(plan.body.data.calls).toMatchObject({ images: 1 })
  const run = await sync('?sync_images=true')
  expect([await state(), zoho.counters.images - images]).toEqual(['stored', 1])
  expect(run).toMatchObject({ status: 'success', statistics: { images_total: 1 } })
})

longTest('an empty response in place of a new image is asked for again before the old one goes', async () => {
  const { zoho, sync, services } = await startZinc({ synced: true })
  const [once, always] = zoho.items().filter((item) => item.image_document_id !== '')
  for (const item of [once!, always!]) zoho.replaceImage(item.item_id, 88_003)
  const empty = { status: 200, body: '', contentType: 'image/jpeg' }
  zoho.fail({ path: new RegExp(`${once!.item_id}/image`), times: 1, ...empty })
  zoho.fail({ path: new RegExp(`${always!.item_id}/image`), times: 2, ...empty })
  await sync('?sync_images=true')
  const stateOf = async (id: string) => (await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: id } })).image_state
  expect([await stateOf(once!.item_id), await stateOf(always!.item_id)]).toEqual(['stored', 'none'])
})

longTest('asking again stays within a share of the day, and the rest comes with the following runs', async () => {
  const zinc = await startZinc({ limits: DAY, allImages: true })
  const { zoho, sync, services } = zinc
  expect((await sync('?sync_images=true')).status).toBe('success')
  for (const item of zoho.items()) zoho.edit(item.item_id, { rate: 3 })
  const { images } = zoho.counters
  await sync('?sync_images=true')
  expect(zoho.counters.images - images).toBe(5)
  await sync('?sync_images=true')
  expect(zoho.counters.images - images).toBe(5)
  await services.db.zohoCall.updateMany({ where: { job: 'recheck' }, data: { started_at: new Date(Date.now() - 2 * 86_400_000) } })
  await sync('?sync_images=true')
  expect(zoho.counters.images - images).toBe(10)
})

longTest.each([
  ['a page', '<!DOCTYPE html><html><h1>Busy</h1></html>', 'text/html'],
  ['an empty object', '{}', 'application/json'],
  ['JSON that says success', ' {"code":0,"message":"success"}', 'application/json'],
  ['a list', '\ufeff[]', 'image/jpeg'],
])('%s with HTTP 200 in place of an image is tried again within the run', async (_, body, contentType) => {
  const { zoho, sync, services } = await startZinc()
  const [passing, lasting] = zoho.items().filter((item) => item.image_document_id !== '')
  zoho.fail({ path: new RegExp(`${passing!.item_id}/image`), times: 2, body, contentType })
  zoho.fail({ path: new RegExp(`${lasting!.item_id}/image`), times: 99, body, contentType })
  const run = await sync('?sync_images=true')
  expect(run).toMatchObject({ status: 'partial', statistics: { images_downloaded: 19, images_failed: 1 } })
  expect(run.errors).toMatchObject([{ zoho_item_id: lasting!.item_id, code: 'no_image_bytes' }])
  const stateOf = async (id: string) => (await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: id } })).image_state
  expect([await stateOf(passing!.item_id), await stateOf(lasting!.item_id)]).toEqual(['stored', 'failed'])
  zoho.clearFaults()
  expect((await sync('?sync_images=true')).statistics).toMatchObject({ images_downloaded: 1, images_failed: 0 })
})
