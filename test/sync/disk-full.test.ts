import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, expect, test } from 'vitest'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { checkImages, temporaryFiles } from '../helpers/check-images.ts'
import { createFastClock } from '../helpers/clock.ts'
import { times } from '../helpers/long.ts'
import { createRandom } from '../helpers/random.ts'
import { startRunAt } from '../helpers/server-process.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { login, startZinc } from '../helpers/zinc.ts'

const MIB = 1024 * 1024
const place = mkdtempSync(join(tmpdir(), 'zinc-small-disk-'))
const size = (mib: number) => `size=${mib}m`
/**
 * A file system of its own needs the rights of root; elsewhere test/sync/outages.test.ts shows the
 * same with a disk that only says that it is full.
 */
const mounted = (() => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', size(times(12, 50)), 'tmpfs', place], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()
afterAll(() => {
  if (mounted) execFileSync('umount', [place])
  rmSync(place, { recursive: true })
})

/** Half a mebibyte that cannot be made smaller. */
async function noise(seed: number): Promise<Buffer> {
  const random = createRandom(seed)
  const side = 440
  const bytes = Buffer.from(Uint8Array.from({ length: side * side * 3 }, () => random() * 256))
  return sharp(bytes, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toBuffer()
}

test.runIf(mounted && process.env.ZINC_LONG === '1')(
  'on a real full disk the run waits, all else works, and it resumes when there is room',
  async () => {
    const clock = createFastClock(60)
    const items = createSeed({ count: times(45, 300) })
    const images = items.filter((item) => item.image_document_id !== '').length
    const zinc = await startZinc({
      items,
      clock,
      now: () => clock.now().getTime(),
      imageOf: (item) => noise(item.image_seed),
      environment: { DATA_DIR: place },
    })
    const { services, url, call } = zinc
    const here = { dataDir: place, services }
    const id = await startRunAt(url)
    const run = () => services.runs.get(id)
    await waitFor(async () => (await run()).state === 'paused')
    expect(await run()).toMatchObject({
      cause: expect.stringContaining('storage_full'),
      remedy: expect.stringContaining('DATA_DIR'),
      resumes_at: expect.any(Date),
    })
    const stored = await services.db.product.count({ where: { image_state: 'stored' } })
    expect(stored).toBeGreaterThan(0)
    expect(stored).toBeLessThan(images)
    expect(await services.db.product.count({ where: { image_state: 'failed' } })).toBe(0)
    await checkImages(here)
    await waitFor(async () => (await temporaryFiles(here)).length === 0)
    // It stopped before the last byte: what else lives on the disk goes on.
    const space = await services.store.space()
    expect(space!.free).toBeGreaterThan(0)

    expect((await call('/api/products?limit=5')).status).toBe(200)
    expect((await login(url)).length).toBeGreaterThan(20)
    const changed = await call('/api/settings/integrations/zoho/modules/crm', {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: '{"enabled":false}',
    })
    expect(changed.status).toBe(200)

    execFileSync('mount', ['-o', `remount,${size(times(100, 500))}`, place])
    const began = clock.now().getTime()
    await waitFor(async () => (await run()).state !== 'paused')
    // A minute, and the two seconds of real time in which paused runs are looked for: two minutes
    // by this clock.
    expect(clock.now().getTime() - began).toBeLessThan(240_000)
    await waitFor(async () => (await run()).finished_at !== null)
    expect(await run()).toMatchObject({ state: 'success', statistics: { images_failed: 0 } })
    expect(await services.db.photo.count()).toBe(images)
    await checkImages(here)
    expect(await temporaryFiles(here)).toEqual([])
    expect((await services.store.space())!.total).toBeGreaterThan(50 * MIB)
  },
)
