import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, onTestFinished } from 'vitest'
import { MEDIA_INTEGRITY_SCAN } from '../../src/images/integrity/scan-run.ts'
import { ingestImage } from '../../src/images/processing/ingest.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { temporaryFiles } from '../helpers/check-images.ts'
import { hashOf } from '../helpers/hash.ts'
import { drawnImage } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

const signal = AbortSignal.timeout(110_000)
/** A scan waits for young files to settle; here that wait takes no time. */
const clock = { now: systemClock.now, sleep: (ms: number, stop?: AbortSignal) => systemClock.sleep(ms / 100, stop) }

interface Report {
  counts: Record<string, number>
  findings: { kind: string; sha256: string; repair: string }[]
}

async function startWatched(options: Parameters<typeof startZinc>[0] = {}) {
  const zinc = await startZinc({ clock, ...options })
  const run = async (work: 'scan' | 'repair') => {
    const reply = await zinc.call(`/api/media/integrity/${work}`, { method: 'POST' })
    const { run_id } = (await reply.json()) as { run_id: string }
    return (await zinc.services.runs.wait(run_id, signal)).state
  }
  const report = async () => ((await (await zinc.call('/api/media/integrity')).json()) as { data: Report }).data
  const pathOf = (kind: string, sha256: string) => join(zinc.dataDir, 'images', kind, sha256.slice(0, 2), sha256)
  return { ...zinc, run, report, pathOf }
}

longTest('files that no row knows are found and removed, but for one that got its row since the scan', async () => {
  const { services, run, report, pathOf, sync } = await startWatched({ items: createSeed({ count: 6 }) })
  await sync('?sync_images=true')
  const { store, db, ingest } = services
  const put = async (kind: 'originals' | 'variants', bytes: Buffer) => {
    const path = await store.temporaryPath()
    await writeFile(path, bytes)
    await store.keep(kind, path, hashOf(bytes))
    return hashOf(bytes)
  }
  const stray = await put('originals', randomBytes(500))
  const variant = await put('variants', randomBytes(300))
  const late = await drawnImage()
  await put('originals', late)
  const kept = (await db.blob.findMany({ select: { sha256: true } })).map((it) => it.sha256)

  expect(await run('scan')).toBe('partial')
  const { counts, findings } = await report()
  expect(counts).toMatchObject({ missing: 0, wrong_hash: 0, untracked: 2, orphan_variant: 1, missing_variant: 0 })
  expect(findings.map((it) => [it.kind, it.sha256, it.repair]).sort()).toEqual(
    [
      ['untracked', stray, 'remove'],
      ['untracked', hashOf(late), 'remove'],
      ['orphan_variant', variant, 'remove'],
    ].sort(),
  )
  // Killed while it looked through the files, the scan does that again and counts nothing twice.
  const scan = await db.run.findFirstOrThrow({ where: { kind: MEDIA_INTEGRITY_SCAN } })
  const again = { state: 'queued', finished_at: null, checkpoint: { phase: 'files', after: '' } }
  await db.run.update({ where: { id: scan.id }, data: again })
  await services.runs.resumeHere(scan.id)
  expect((await services.runs.wait(scan.id, signal)).statistics).toMatchObject({ findings: 3 })

  // These bytes come in before anybody repairs: the finding is no longer true.
  await ingestImage(ingest, Readable.from([late]), signal)
  expect(await run('repair')).toBe('success')
  expect([await store.sizeOf('originals', stray), await store.sizeOf('variants', variant)]).toEqual([null, null])
  for (const sha256 of [...kept, hashOf(late)]) expect(hashOf(await readFile(pathOf('originals', sha256)))).toBe(sha256)
  expect(await run('scan')).toBe('success')
})

longTest('a repair takes no more of a picture than an upload may have, and leaves nothing of it', async () => {
  const { zoho, services, dataDir, run, pathOf, sync } = await startWatched({ items: createSeed({ count: 3 }) })
  await sync('?sync_images=true')
  const photo = await services.db.photo.findFirstOrThrow()
  await rm(pathOf('originals', photo.sha256))
  await run('scan')
  zoho.fail({ path: /\/image\?/, times: 1, cut: 'endless', contentType: 'image/png', body: await drawnImage('png') })
  expect(await run('repair')).toBe('partial')
  expect(await services.db.failure.findFirst({ where: { stage: 'repair' } })).toMatchObject({ code: 'image_too_large' })
  expect(await temporaryFiles({ dataDir })).toEqual([])
  expect(await run('repair')).toBe('success')
  expect(hashOf(await readFile(pathOf('originals', photo.sha256)))).toBe(photo.sha256)
})

longTest('a picture from an address is fetched there again, and other bytes replace the old ones', async () => {
  const images = [await drawnImage('png'), await drawnImage('png')]
  const server = createServer((request, reply) => {
    reply.writeHead(200, { 'content-type': 'image/png' }).end(images[Number(request.url?.slice(1))])
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const { services, dataDir, run, report, pathOf, sync } = await startWatched({ environment: { IMAGE_URL_ALLOWLIST: host } })
  await mkdir(join(dataDir, 'imports'), { recursive: true })
  const records = images.map((_, n) => ({ zoho_item_id: `${n}`, sku: `S${n}`, name: `Item ${n}`, image_url: `http://${host}/${n}` }))
  await writeFile(join(dataDir, 'imports', 'items.json'), JSON.stringify(records))
  expect((await sync('?source=file&file=items.json&sync_images=true')).statistics.images_downloaded).toBe(2)
  const shown = () => services.db.photo.findMany({ where: { deleted_at: null }, orderBy: { product: { sku: 'asc' } } })
  const [first, second] = await shown()
  for (const { sha256 } of await shown()) await rm(pathOf('originals', sha256))
  images[1] = await drawnImage('png')

  expect(await run('scan')).toBe('partial')
  expect((await report()).findings.map((it) => [it.kind, it.repair])).toEqual(Array(2).fill(['missing', 'fetch_url']))
  expect(await run('repair')).toBe('success')
  const after = await shown()
  expect(after.map((it) => [it.id, it.sha256, it.version])).toEqual([
    [first!.id, hashOf(images[0]!), 1],
    [second!.id, hashOf(images[1]), 2],
  ])
  for (const { sha256 } of after) expect(hashOf(await readFile(pathOf('originals', sha256)))).toBe(sha256)
})
