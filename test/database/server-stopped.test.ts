import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished } from 'vitest'
import { openEmbeddedPostgres } from '../../src/database/embedded/embedded-postgres.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { checkImages } from '../helpers/check-images.ts'
import { smallImage } from '../helpers/images.ts'
import { longTest, times } from '../helpers/long.ts'
import { startRunAt } from '../helpers/server-process.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { startZinc } from '../helpers/zinc.ts'

longTest.each([
  ['its own', times(2, 20)],
  ['one of DATABASE_URL', times(1, 20)],
])('while the database (%s) is stopped zinc reports it; then the sync resumes without loss', async (whose, stops) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'zinc-stopped-'))
  await chmod(dataDir, 0o755) // the account that PostgreSQL runs as under root must get in
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  const items = createSeed({ count: times(90, 1500) })
  const images = items.filter((item) => item.image_document_id !== '').length
  await using stack = new AsyncDisposableStack()
  // Here somebody else starts it again, and zinc only has the address.
  const theirs =
    whose === 'its own' ? null : stack.use(await openEmbeddedPostgres({ dataDir: join(dataDir, 'theirs'), log: pino({ level: 'silent' }) }))
  const zinc = await startZinc({ items, imageOf: smallImage, environment: { DATABASE_URL: theirs?.url ?? '', DATA_DIR: dataDir } })
  const { zoho, services, url, call } = zinc
  const place = join(dataDir, theirs ? 'theirs' : '', 'postgres')
  const postmaster = async () => Number((await readFile(join(place, 'cluster', 'postmaster.pid'), 'utf8')).split('\n')[0])
  const within = async (ms: number, ask: () => Promise<Response>) => {
    const began = performance.now()
    const response = await ask()
    await response.arrayBuffer()
    expect(performance.now() - began).toBeLessThan(ms)
    return response
  }

  const id = await startRunAt(url)
  for (let stop = 1; stop <= stops; stop++) {
    const enough = Math.ceil((images * stop) / (stops + 1))
    await waitFor(() => zoho.counters.images >= enough)
    // Held as if another process were looking at the folder (a process that always lives), so that
    // zinc does not start the server again at once.
    await writeFile(join(place, 'lock'), '1')
    process.kill(await postmaster(), 'SIGQUIT') // PostgreSQL's immediate shutdown
    await waitFor(async () => (await fetch(`${url}/health/ready`)).status === 503)
    expect((await within(2_000, () => fetch(`${url}/health/ready`))).status).toBe(503)
    expect((await within(2_000, () => fetch(`${url}/health/live`))).status).toBe(200)
    const refused = await within(2_000, () => call('/api/products'))
    expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([503, expect.any(Number)])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    const free = performance.now()
    await rm(join(place, 'lock'))
    await waitFor(async () => (await fetch(`${url}/health/ready`)).status === 200)
    expect((await call('/api/products')).status).toBe(200)
    expect(performance.now() - free).toBeLessThan(10_000)
    await checkImages({ dataDir, services })
  }
  await waitFor(async () => (await services.runs.get(id).catch(() => null))?.finished_at != null)
  expect(await services.runs.get(id)).toMatchObject({ state: 'success' })
  expect(await services.db.failure.count()).toBe(0)
  expect(await services.db.product.count()).toBe(items.length)
  expect(await services.db.photo.count({ where: { deleted_at: null } })).toBe(images)
  await checkImages({ dataDir, services })
  expect(zoho.counters.images).toBeLessThanOrEqual(images + stops * 8)
})
