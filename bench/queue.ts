import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import pLimit from 'p-limit'
import { pino } from 'pino'
import { openDatabase } from '../src/database/client.ts'
import { migrate } from '../src/database/migrate.ts'
import { createBlobWriter } from '../src/images/processing/blob-batch.ts'
import { ingestImage } from '../src/images/processing/ingest.ts'
import { createVariantSettings } from '../src/images/processing/variant-settings.ts'
import { createWorkerPool } from '../src/images/processing/worker-pool.ts'
import { createFileStore } from '../src/images/storage/file-store.ts'
import { benchImages } from './image-files.ts'

/**
 * The job queue: variants made again by one process and by two, a worker killed, a run cancelled.
 * Arguments: the URL of an
 * empty database and the number of variants. Processor seconds count, since the cores may be busy
 * with other things.
 */
const [databaseUrl = '', count = '500'] = process.argv.slice(2)
const IMAGES = Math.ceil(Number(count) / 2)
const TICKS = 100

setInterval(() => {}, 1_000)
const dataDir = await mkdtemp(join(tmpdir(), 'zinc-bench-'))
await migrate(databaseUrl, { log: pino({ level: 'silent' }) })
const db = openDatabase(databaseUrl)
const children: ChildProcess[] = []

/** A worker on one core. */
async function startWorker(core: number): Promise<ChildProcess> {
  const child = spawn('taskset', ['-c', String(core), process.execPath, 'src/server.ts'], {
    env: { PATH: process.env.PATH ?? '', DATA_DIR: dataDir, DATABASE_URL: databaseUrl, PORT: '0', ROLE: 'worker', LOG_LEVEL: 'error' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  for await (const chunk of child.stdout!) if (/listens on/.test(String(chunk))) return child
  throw new Error('the worker ended before it listened')
}
async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  await gone
}

/** Processor seconds of a process, its children, and those of its children that have ended. */
async function processorSeconds(pid: number): Promise<number> {
  let ticks = 0
  for (const id of (await readdir('/proc')).filter((it) => /^\d+$/.test(it))) {
    const stat = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (id === String(pid)) ticks += fields.slice(11, 15).reduce((sum, it) => sum + Number(it), 0)
    else if (fields[1] === String(pid)) ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks / TICKS
}

const start = async () =>
  (
    await db.run.create({
      data: { kind: 'media_regenerate', params: { which: 'all' }, started_by: 'bench', exclusive_key: 'media_regenerate' },
    })
  ).id
const made = () => db.variant.count()
async function stateOf(id: string): Promise<string> {
  return (await db.run.findUniqueOrThrow({ where: { id } })).state
}
async function ended(id: string): Promise<void> {
  while (['queued', 'running'].includes(await stateOf(id))) await pause(50)
}
async function reached(variants: number): Promise<void> {
  while ((await made()) < variants) await pause(20)
}

const workers = createWorkerPool()
const deps = {
  db,
  store: createFileStore(join(dataDir, 'images')),
  workers,
  variantSettings: createVariantSettings(db),
  writeBlob: createBlobWriter(db),
  limits: { maxBytes: 25_000_000, maxPixels: 50_000_000, maxSide: 12_000 },
}
const product = await db.product.create({ data: { zoho_item_id: '1', name: 'bench' } })
const limit = pLimit(4)
const images = await benchImages(Math.min(IMAGES, 50), '')
await Promise.all(
  Array.from({ length: IMAGES }, (_, n) =>
    limit(async () => {
      const bytes = Buffer.concat([images[n % images.length]!, Buffer.from(`#${n}`)])
      const blob = await ingestImage(deps, Readable.from([bytes]), new AbortController().signal)
      await db.photo.create({ data: { product_id: product.id, sha256: blob.sha256, filename: `${n}`, source: 'upload' } })
    }),
  ),
)
await workers[Symbol.asyncDispose]()
const total = await made()

async function measure(processes: ChildProcess[]) {
  await db.variant.deleteMany()
  const sum = async () => {
    let seconds = 0
    for (const { pid } of processes) seconds += await processorSeconds(pid!)
    return seconds
  }
  const before = await sum()
  const began = performance.now()
  const id = await start()
  await ended(id)
  const seconds = (performance.now() - began) / 1_000
  const row = await db.run.findUniqueOrThrow({ where: { id } })
  return {
    state: row.state,
    variants: await made(),
    seconds: round(seconds),
    cpu_ms_per_variant: round((((await sum()) - before) * 1_000) / total),
  }
}
const round = (value: number) => Math.round(value * 100) / 100
const results: Record<string, unknown> = { variants: total }
try {
  const first = await startWorker(0)
  await measure([first]) // warms the disk cache and the children
  results.one = [await measure([first]), await measure([first]), await measure([first])]
  const second = await startWorker(1)
  await measure([first, second])
  results.two = [await measure([first, second]), await measure([first, second]), await measure([first, second])]
  console.log(JSON.stringify(results))

  await db.variant.deleteMany()
  const cancelled = await start()
  await reached(total / 4)
  await db.run.update({ where: { id: cancelled }, data: { requested_action: 'cancel' } })
  const asked = performance.now()
  let last = { at: asked, variants: await made() }
  while (performance.now() - asked < 4_000) {
    const now = await made()
    if (now !== last.variants) last = { at: performance.now(), variants: now }
    await pause(20)
  }
  results.cancel = { last_variant_after_ms: Math.round(last.at - asked), variants: last.variants, state: await stateOf(cancelled) }

  await db.variant.deleteMany()
  const killed = await start()
  await reached(total * 0.7)
  await end(first, 'SIGKILL')
  const at = performance.now()
  await ended(killed)
  results.kill = { all_done_after_s: round((performance.now() - at) / 1_000), variants: await made(), state: await stateOf(killed) }
} finally {
  await Promise.all(children.map((child) => (child.exitCode === null && child.signalCode === null ? end(child, 'SIGTERM') : undefined)))
}
console.log(JSON.stringify(results))
await db.$disconnect()
await rm(dataDir, { recursive: true })
process.exit(0)
