import dns from 'node:dns'
import { expect, onTestFinished, test } from 'vitest'
import type { TimeLimits } from '../../src/zoho/client.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import type { Fault } from '../../src/zoho-simulator/simulator.ts'
import { checkImages, temporaryFiles } from '../helpers/check-images.ts'
import { createFastClock } from '../helpers/clock.ts'
import { smallImage } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { startSecondInstance } from '../helpers/second-instance.ts'
import { startRunAt } from '../helpers/server-process.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { login, startZinc, type TestOptions } from '../helpers/zinc.ts'

const LIST = /v1\/items\?/
const TOKEN = /oauth\/v2\/token/
/** The limits of one answer, in real time; a drip never meets the first. */
const timeLimits: TimeLimits = { idleMs: 1_000, jsonMs: 2_000, imageMs: 2_000, signInMs: 2_000 }
const JPEG_START = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10, 0x4a, 0x46, 0x49, 0x46])
const JSON_START = '{"code":0,"items":[{"item_id":"46'
type Slow = Omit<Fault, 'path' | 'times'>
const NEVER_BEGINS: Slow = { cut: 'silent' }
const STOPS: Slow = { cut: 'stall', body: JSON_START }
const DRIPS: Slow = { cut: 'drip', everyMs: 100 }
const NEVER_ENDS: Slow = { cut: 'endless' }

/** Pauses between tries pass sixty times as fast. */
function start(options: TestOptions = {}) {
  const clock = createFastClock(60)
  return startZinc({ clock, now: () => clock.now().getTime(), overrides: () => ({ timeLimits }), ...options })
}

longTest('a list that never begins, stalls, drips or never ends is requested again without loss', async () => {
  // Long enough to read what never ends up to the bound of its size, on a slow machine too.
  const patient = { ...timeLimits, jsonMs: 8_000 }
  const { zoho, sync, services } = await start({ items: createSeed({ count: 450 }), overrides: () => ({ timeLimits: patient }) })
  for (const [n, slow] of [NEVER_BEGINS, STOPS, DRIPS, NEVER_ENDS].entries())
    zoho.fail({ path: LIST, times: 1, after: n === 0 ? 1 : 0, ...slow })
  expect(await sync()).toMatchObject({ status: 'success', statistics: { total: 450, new: 450 } })
  const ill = await services.db.zohoCall.findMany({ where: { status: 200, code: { not: null } }, orderBy: { id: 'asc' } })
  expect(ill.map((it) => it.code)).toEqual(['timeout', 'timeout', 'too_large'])
  expect(await services.db.zohoCall.count({ where: { status: null, code: 'timeout' } })).toBe(1)
})

longTest('a slow list fails before the first page; after it the run waits, says why, and resumes', async () => {
  const items = createSeed({ count: 450 }).map((item) => ({ ...item, image_document_id: '' }))
  const { zoho, services, url, call } = await start({ items })
  for (const slow of [STOPS, STOPS, NEVER_ENDS, NEVER_BEGINS, DRIPS]) zoho.fail({ path: LIST, times: 1, ...slow })
  const response = await call('/api/settings/integrations/zoho/sync/item/execute', { method: 'POST' })
  expect(response.status).toBe(502)
  expect(await response.json()).toMatchObject({
    code: 'timeout',
    message: 'Zoho did not respond properly after 5 attempts: the response took too long',
    detail: { remedy: expect.stringContaining('status.zoho.com') },
  })
  zoho.fail({ path: LIST, times: 5, after: 2, ...STOPS })
  const id = await startRunAt(url)
  await waitFor(async () => (await services.runs.get(id)).state === 'paused')
  expect(await services.runs.get(id)).toMatchObject({ cause: 'Zoho is not responding', resumes_at: expect.any(Date) })
  await waitFor(async () => (await services.runs.get(id)).finished_at !== null)
  expect(await services.runs.get(id)).toMatchObject({ state: 'success', statistics: { total: 450, new: 450, removed: 0 } })
})

longTest('a picture that stalls, drips or never ends fails alone and comes when Zoho recovers', async () => {
  const zinc = await start({ items: createSeed({ count: 15 }), environment: { MAX_UPLOAD_BYTES: String(200 * 1024) } })
  const { zoho, sync, services, call } = zinc
  const [silent, stops, drips, endless, ...well] = zoho.items().filter((item) => item.image_document_id !== '')
  const fail = (item: typeof silent, slow: Slow) =>
    zoho.fail({ path: new RegExp(`${item!.item_id}/image`), times: 1_000, contentType: 'image/jpeg', ...slow })
  fail(silent, NEVER_BEGINS)
  fail(stops, { ...STOPS, body: JPEG_START })
  fail(drips, { ...DRIPS, body: JPEG_START })
  fail(endless, { ...NEVER_ENDS, body: JPEG_START })
  const response = await sync('?sync_images=true')
  expect(response).toMatchObject({ status: 'partial', statistics: { images_downloaded: well.length, images_failed: 4 } })
  expect(Object.fromEntries(response.errors.map(({ zoho_item_id, code }) => [zoho_item_id, code]))).toEqual({
    [silent!.item_id]: 'timeout',
    [stops!.item_id]: 'download_failed',
    [drips!.item_id]: 'download_failed',
    [endless!.item_id]: 'image_too_large',
  })
  const shown = (await (await call('/api/settings/integrations/zoho/failures')).json()) as { data: { cause: string; remedy: string }[] }
  expect(shown.data).toHaveLength(3)
  for (const { cause, remedy } of shown.data)
    expect([cause, remedy]).toEqual([expect.stringMatching(/\w{4}/), expect.stringMatching(/\w{4}/)])
  expect(await temporaryFiles(zinc)).toEqual([])
  await checkImages(zinc)
  zoho.clearFaults()
  expect(await sync('?sync_images=true')).toMatchObject({ status: 'success', statistics: { images_downloaded: 4, images_failed: 0 } })
  expect(await services.db.failure.count({ where: { resolved_at: null } })).toBe(0)
})

longTest('a sign-in that never begins, drips or never ends is named and holds up nobody for long', async () => {
  const { zoho, sync, call } = await start()
  for (const slow of [NEVER_BEGINS, DRIPS, NEVER_ENDS]) zoho.fail({ path: TOKEN, times: 1, ...slow })
  const response = await call('/api/settings/integrations/zoho/sync/item/execute', { method: 'POST' })
  expect(response.status).toBe(502)
  expect(await response.json()).toMatchObject({ code: 'zoho_unreachable', detail: { remedy: expect.stringContaining('by itself') } })
  expect(await sync()).toMatchObject({ status: 'success', statistics: { total: 30 } })
})

longTest('after ten failures in a row one call a minute checks Zoho until it recovers', async () => {
  const { zoho, services, url } = await start({ items: createSeed({ count: 60 }), imageOf: smallImage })
  // Behind the list and ten pictures.
  zoho.fail({
    path: /inventory/,
    times: 100_000,
    after: 11,
    status: 503,
    body: '<html>Service unavailable</html>',
    contentType: 'text/html',
  })
  const id = await startRunAt(url)
  const run = () => services.runs.get(id)
  /** Between two refused calls, in the order in which they were made. */
  const gapsMs = async () => {
    const calls = await services.db.zohoCall.findMany({ where: { status: 503 }, orderBy: { started_at: 'asc' } })
    return calls.slice(1).map((call, n) => call.started_at.getTime() - calls[n]!.started_at.getTime())
  }
  const A_MINUTE_MS = 55_000
  await waitFor(async () => (await gapsMs()).filter((gap) => gap > A_MINUTE_MS).length >= 2)
  const gaps = await gapsMs()
  const burst = gaps.findIndex((gap) => gap > A_MINUTE_MS) + 1
  // Ten and those that were under way with them; without the breaker each of ten pictures would be
  // asked for five times, every time.
  expect(burst).toBeGreaterThanOrEqual(10)
  expect(burst).toBeLessThanOrEqual(10 + 8)
  for (const gap of gaps.slice(burst - 1)) expect(gap).toBeGreaterThan(A_MINUTE_MS)
  zoho.clearFaults()
  await waitFor(async () => (await run()).finished_at !== null)
  expect(await run()).toMatchObject({ state: 'success', statistics: { images_failed: 0 } })
  expect(await services.db.photo.count()).toBe(40)
  expect(await services.db.failure.count()).toBe(0)
})

longTest('two pictures that Zoho never answers for are no outage: after a look at Zoho they fail alone', async () => {
  const { zoho, services, url } = await start({ items: createSeed({ count: 30 }) })
  const [one, other] = zoho.items().filter((item) => item.image_document_id !== '')
  const path = new RegExp(`(${one!.item_id}|${other!.item_id})/image`)
  zoho.fail({ path, times: 1_000, status: 500, body: '{"code":1000,"message":"Internal error"}' })
  await services.runs.wait(await startRunAt(url), AbortSignal.timeout(60_000))
  zoho.edit(one!.item_id, { name: 'Edited' })
  // The others are here by now: these two are all that is left, and their ten tries are ten faults
  // in a row.
  const id = await startRunAt(url)
  await waitFor(async () => (await services.runs.get(id)).finished_at !== null)
  expect(await services.runs.get(id)).toMatchObject({ state: 'partial', statistics: { images_failed: 2 } })
  const failures = await services.db.failure.findMany({ where: { run_id: id } })
  expect(failures.map((it) => [it.code, it.zoho_code])).toEqual(Array(2).fill(['zoho_refused', '1000']))
})

test('one product of Zoho that is ill does not keep calls from another', async () => {
  const { zoho, services } = await start()
  const client = await services.connect.open()
  const requestPage = (path: string) => client.json({ path, job: 'items', query: { per_page: '1' } }, AbortSignal.timeout(60_000))
  zoho.fail({ path: /books\/v3/, times: 100, status: 502, body: '<html>', contentType: 'text/html' })
  for (let n = 0; n < 2; n++) await expect(requestPage('/books/v3/invoices')).rejects.toMatchObject({ code: 'not_json' })
  await expect(requestPage('/books/v3/invoices')).rejects.toMatchObject({
    code: 'zoho_circuit_open',
    detail: { remedy: expect.any(String) },
  })
  // Another client of the same process knows of it, too.
  const other = await services.connect.open()
  await expect(other.json({ path: '/books/v3/bills', job: 'items' }, AbortSignal.timeout(60_000))).rejects.toMatchObject({
    code: 'zoho_circuit_open',
  })
  expect((await requestPage('/inventory/v1/items')).body.code).toBe(0)
})

longTest.each([
  [
    'knows no name',
    (response: (error: Error) => void) => response(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })),
  ],
  ['never answers', () => {}],
])('while the resolver %s a sync says so within seconds, zinc serves, and all goes on when it is well', async (_, ill) => {
  const { lookup } = dns
  let isIll = true
  onTestFinished(() => void Object.assign(dns, { lookup }))
  Object.assign(dns, {
    lookup: (host: string, options: dns.LookupOptions, response: (...all: unknown[]) => void) =>
      host === 'zoho.example' && isIll ? ill(response) : lookup(host === 'zoho.example' ? '127.0.0.1' : host, options, response),
  })
  const zinc = await start({ items: createSeed({ count: 3 }) })
  const named = zinc.zoho.url.replace('127.0.0.1', 'zoho.example')
  const url = await startSecondInstance(zinc, { ZOHO_API_URL: named, ZOHO_ACCOUNTS_URL: named }, { timeLimits })
  const headers = { authorization: `Bearer ${await login(url)}` }
  const sync = async () => (await fetch(`${url}/api/settings/integrations/zoho/sync/item/execute`, { method: 'POST', headers })).json()
  const answering = sync()
  expect((await fetch(`${url}/api/products`, { headers })).status).toBe(200)
  expect(await answering).toMatchObject({ code: 'zoho_unreachable', detail: { remedy: expect.stringContaining('network') } })
  expect(zinc.zoho.counters.token).toBe(0)
  isIll = false
  expect(await sync()).toMatchObject({ status: 'success', statistics: { total: 3 } })
})
