import { expect, test } from 'vitest'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { smallImage } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { startZinc } from '../helpers/zinc.ts'

const IMAGES = '/sync/item/execute?sync_images=true&wait=false'

longTest('a run is paused, goes on, is cancelled and started again over HTTP, and fetches no picture twice', async () => {
  const zinc = await startZinc({ items: createSeed({ count: 120 }), imageOf: smallImage })
  const { zoho } = zinc
  const images = zoho.items().filter((item) => item.image_document_id !== '').length
  const started = await request(zinc, 'POST', IMAGES)
  expect(started).toMatchObject({ status: 202, body: { status: 'queued' } })
  const id = started.body.run_id as string
  const run = async () => (await request(zinc, 'GET', `/sync/runs/${id}`)).body.data

  expect(await request(zinc, 'POST', IMAGES)).toMatchObject({
    status: 409,
    body: { code: 'sync_running', run_id: id, detail: { run_id: id, remedy: expect.stringContaining(id) } },
  })
  await waitFor(() => zoho.counters.images >= 10)
  expect(await request(zinc, 'POST', `/sync/runs/${id}/pause`)).toMatchObject({
    status: 200,
    body: { data: { state: 'paused', resumes_at: null } },
  })
  const fetched = zoho.counters.images
  // Paused is not over: another start still meets it.
  expect(await request(zinc, 'POST', IMAGES)).toMatchObject({
    status: 409,
    body: { detail: { remedy: expect.stringContaining(`/sync/runs/${id}/resume`) } },
  })
  expect(zoho.counters.images).toBe(fetched)
  expect((await request(zinc, 'POST', `/sync/runs/${id}/resume`)).status).toBe(200)
  expect(await request(zinc, 'POST', `/sync/runs/${id}/resume`)).toMatchObject({ status: 409, body: { code: 'run_not_paused' } })
  await waitFor(() => zoho.counters.images >= fetched + 10)
  expect(await request(zinc, 'POST', `/sync/runs/${id}/cancel`)).toMatchObject({ status: 200, body: { data: { state: 'cancelled' } } })
  expect((await run()).finished_at).not.toBeNull()
  expect(await request(zinc, 'POST', `/sync/runs/${id}/pause`)).toMatchObject({ status: 409, body: { code: 'run_finished' } })

  const last = await zinc.sync('?sync_images=true')
  expect(last.status).toBe('success')
  expect(await zinc.services.db.photo.count()).toBe(images)
  // What was under way at the pause and at the cancel may have been fetched again.
  expect(zoho.counters.images).toBeLessThanOrEqual(images + 2 * 8)
  expect((await request(zinc, 'GET', '/sync/runs?state=cancelled')).body.data.map((it: { id: string }) => it.id)).toEqual([id])
  expect((await request(zinc, 'GET', '/sync/runs/00000000-0000-0000-0000-000000000000')).status).toBe(404)
})

test('progress arrives as server-sent events from first to last state and ends with the run', async () => {
  const zinc = await startZinc({ items: createSeed({ count: 60 }), imageOf: smallImage })
  const { body } = await request(zinc, 'POST', IMAGES)
  const response = await zinc.call(`/api/settings/integrations/zoho/sync/runs/${body.run_id}/events`)
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
  const text = await response.text()
  const events = text
    .split('\n\n')
    .filter((it) => it.startsWith('event: run'))
    .map((it) => JSON.parse(it.slice(it.indexOf('data: ') + 6)))
  expect(events.length).toBeGreaterThan(1)
  expect(events.at(-1)).toMatchObject({ id: body.run_id, state: 'success', statistics: { total: 60, images_downloaded: 40 } })
  const done = events.flatMap((it) => (it.progress.phase === 'images' ? [it.progress.done] : []))
  expect(done).toEqual([...done].sort((a, b) => a - b))
})

longTest('a client that hangs up does not stop the run, and failures before the first page keep their status', async () => {
  const zinc = await startZinc({ items: createSeed({ count: 60 }), imageOf: smallImage })
  const hangUp = new AbortController()
  const disconnected = zinc
    .call('/api/settings/integrations/zoho/sync/item/execute?sync_images=true', { method: 'POST', signal: hangUp.signal })
    .catch((error: Error) => error.name)
  await waitFor(() => zinc.zoho.counters.images >= 3)
  hangUp.abort()
  await disconnected
  await waitFor(async () => (await request(zinc, 'GET', '/sync/runs')).body.data[0].state === 'success')

  // Five tries take seconds: the answer waits for what becomes of the first page.
  zinc.zoho.fail({ path: /v1\/items\?/, times: 5, status: 503, body: '<html>' })
  const failed = await request(zinc, 'POST', '/sync/item/execute')
  expect(failed).toMatchObject({ status: 502, body: { status: 'error', code: 'not_json', run_id: expect.any(String) } })
  expect(failed.body.detail.remedy.length).toBeGreaterThan(10)
})

longTest('the export as a ZIP holds the records and every primary picture', async () => {
  const zinc = await startZinc({ items: createSeed({ count: 12 }) })
  await zinc.sync('?sync_images=true')
  const zip = Buffer.from(await (await zinc.call('/api/settings/integrations/zoho/export?format=zip')).arrayBuffer())
  const { fromBuffer } = await import('yauzl')
  const names = await new Promise<string[]>((resolve, reject) =>
    fromBuffer(zip, { lazyEntries: false }, (error, file) => {
      if (error) return reject(error)
      const found: string[] = []
      file.on('entry', (entry: { fileName: string; uncompressedSize: number }) =>
        found.push(`${entry.fileName}${entry.uncompressedSize > 0 ? '' : ' empty'}`),
      )
      file.on('end', () => resolve(found))
    }),
  )
  const requestedAction = zinc.zoho
    .items()
    .filter((item) => item.image_document_id !== '')
    .map((item) => `images/item/${item.item_id}.jpg`)
  expect(names.sort()).toEqual(['items.json', ...requestedAction].sort())
})
