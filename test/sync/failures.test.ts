import { expect, test } from 'vitest'
import { longTest } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { startZinc } from '../helpers/zinc.ts'

const broken = { body: 'no image at all', contentType: 'image/jpeg' }

test('the inbox groups what failed by cause, retries one, chosen and all, and keeps dismissed things away', async () => {
  const zinc = await startZinc()
  const { zoho, sync, services } = zinc
  const bad = zoho
    .items()
    .filter((item) => item.image_document_id !== '')
    .slice(0, 4)
  const breakAll = () => {
    for (const item of bad) zoho.fail({ path: new RegExp(`${item.item_id}/image`), times: 1, ...broken })
  }
  breakAll()
  const first = await sync('?sync_images=true')
  expect(first.statistics.images_failed).toBe(4)

  const inbox = async (query = '') => (await request(zinc, 'GET', `/failures${query}`)).body
  const open = await inbox()
  expect(open).toMatchObject({ total: 4, next_cursor: null })
  expect(open.data).toMatchObject([{ code: 'not_an_image', stage: 'image', count: 4, retryable: true }])
  expect(open.data[0].remedy.length).toBeGreaterThan(10)
  expect(open.data[0].failures.map((it: { zoho_item_id: string }) => it.zoho_item_id).sort()).toEqual(bad.map((it) => it.item_id).sort())
  const page = await inbox('?code=not_an_image&limit=3')
  expect(page.data[0].failures).toHaveLength(3)
  expect((await inbox(`?code=not_an_image&limit=3&cursor=${page.next_cursor}`)).data[0].failures).toHaveLength(1)

  const ended = async (run_id: string) => {
    await waitFor(async () => (await services.runs.get(run_id)).finished_at !== null)
    return services.runs.get(run_id)
  }
  const idOf = (item: { item_id: string }) =>
    open.data[0].failures.find((it: { zoho_item_id: string }) => it.zoho_item_id === item.item_id).id
  const calls = zoho.counters.images
  const one = await request(zinc, 'POST', '/failures/retry', { ids: [idOf(bad[0]!)] })
  expect(one.status).toBe(202)
  expect(await ended(one.body.run_id)).toMatchObject({ state: 'success', statistics: { images_downloaded: 1, images_total: 1 } })
  expect(zoho.counters.images).toBe(calls + 1)
  expect((await inbox()).total).toBe(3)

  expect((await request(zinc, 'POST', '/failures/dismiss', { ids: [idOf(bad[1]!)], note: 'no picture wanted' })).body.data.dismissed).toBe(
    1,
  )
  expect((await inbox()).total).toBe(2)
  zoho.clearFaults()
  breakAll()
  const again = await sync('?sync_images=true')
  expect(again.statistics.images_failed).toBe(3)
  expect((await inbox()).total).toBe(2)
  expect((await inbox('?dismissed=true')).data[0].failures).toMatchObject([{ zoho_item_id: bad[1]!.item_id, note: 'no picture wanted' }])

  const ofRun = await request(zinc, 'POST', `/sync/runs/${again.run_id}/retry-failed`)
  expect((await ended(ofRun.body.run_id)).statistics).toMatchObject({ images_downloaded: 2 })
  expect(await inbox()).toMatchObject({ total: 0, data: [] })
  expect(await request(zinc, 'POST', '/failures/retry', {})).toMatchObject({ status: 409, body: { code: 'nothing_to_retry' } })
  expect((await request(zinc, 'POST', '/failures/dismiss', { ids: [] })).status).toBe(400)
})

test('a shared SKU is noted with its facts, and leaves the inbox when it is not shared any more', async () => {
  const zinc = await startZinc()
  const [one, other] = zinc.zoho.items()
  zinc.zoho.edit(other!.item_id, { sku: one!.sku })
  expect(await zinc.sync()).toMatchObject({ status: 'partial', statistics: { conflicts: 1 } })
  const params = { sku: one!.sku, ids: [one!.item_id, other!.item_id].sort() }
  expect((await request(zinc, 'GET', '/failures')).body).toMatchObject({
    total: 2,
    data: [{ code: 'sku_conflict', count: 2, params: null, failures: [{ params }, { params }] }],
  })
  zinc.zoho.edit(other!.item_id, { sku: 'ITS-OWN' })
  expect(await zinc.sync()).toMatchObject({ status: 'success', statistics: { conflicts: 0 } })
  expect((await request(zinc, 'GET', '/failures')).body.total).toBe(0)
})

longTest('a picture that failed leaves the inbox when Zoho has it no more, and with an item that is gone', async () => {
  const zinc = await startZinc()
  const { zoho, sync } = zinc
  const [without, gone, stays] = zoho.items().filter((item) => item.image_document_id !== '')
  for (const item of [without!, gone!, stays!]) zoho.fail({ path: new RegExp(`${item.item_id}/image`), times: 9, ...broken })
  expect((await sync('?sync_images=true')).statistics.images_failed).toBe(3)
  zoho.edit(without!.item_id, { image_document_id: '' })
  zoho.remove(gone!.item_id)
  await sync('?mode=full&dry_run=true')
  expect((await request(zinc, 'GET', '/failures')).body.total).toBe(3)
  await sync('?mode=full')
  const { data } = (await request(zinc, 'GET', '/failures')).body
  expect(data).toMatchObject([{ stage: 'image', count: 1, failures: [{ zoho_item_id: stays!.item_id }] }])
})
