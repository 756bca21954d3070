import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import pLimit from 'p-limit'
import { pino } from 'pino'
import sharp from 'sharp'
import { openDatabase } from '../src/database/client.ts'
import { migrate } from '../src/database/migrate.ts'
import { createBlobWriter } from '../src/images/processing/blob-batch.ts'
import { ingestImage } from '../src/images/processing/ingest.ts'
import { createVariantSettings, DEFAULT_VARIANT_CONFIG, EFFORT, LARGEST_FIRST } from '../src/images/processing/variant-settings.ts'
import { makeVariants } from '../src/images/processing/variants.ts'
import { createWorkerPool } from '../src/images/processing/worker-pool.ts'
import { createFileStore } from '../src/images/storage/file-store.ts'
import { benchImages } from './image-files.ts'

/**
 * Images a second: zinc's whole way in (judged, hashed, on disk with fsync, rows) beside a loop
 * that only makes the same variants with sharp.
 * The two take turns, round by round, so that a machine that is busy with other things is equally
 * busy for both; the middle round counts.
 */
const [databaseUrl = '', photosDir = ''] = process.argv.slice(2)
const COUNT = 200
const ROUNDS = 5
const IN_FLIGHT = 8

const all = await benchImages(COUNT, photosDir)
/** Each round brings bytes that zinc has not seen: some behind the end make copies differ. */
const ofRound = (round: number) => all.map((bytes, n) => Buffer.concat([bytes, Buffer.from(`${round} ${n}`)]))
// The decoder's idle children do not hold a process open, so the bench holds itself.
setInterval(() => {}, 1_000)
const dir = await mkdtemp(join(tmpdir(), 'zinc-bench-'))
const limit = pLimit(IN_FLIGHT)

async function perSecond(inputs: Buffer[], work: (bytes: Buffer, n: number) => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await Promise.all(inputs.map((bytes, n) => limit(() => work(bytes, n))))
  return inputs.length / ((performance.now() - began) / 1000)
}

sharp.concurrency(1)
sharp.cache(false)
const bare = async (bytes: Buffer, n: number) => {
  for (const name of LARGEST_FIRST) {
    const side = DEFAULT_VARIANT_CONFIG.sizes[name]
    const webp = { quality: DEFAULT_VARIANT_CONFIG.quality.webp, effort: EFFORT.webp }
    const made = await sharp(bytes).autoOrient().resize(side, side, { fit: 'inside', withoutEnlargement: true }).webp(webp).toBuffer()
    await writeFile(join(dir, `${n}-${name}`), made)
  }
}

await migrate(databaseUrl, { log: pino({ level: 'silent' }) })
const db = openDatabase(databaseUrl)
const workers = createWorkerPool()
const deps = {
  db,
  store: createFileStore(join(dir, 'store')),
  workers,
  variantSettings: createVariantSettings(db),
  writeBlob: createBlobWriter(db),
  limits: { maxBytes: 25_000_000, maxPixels: 50_000_000, maxSide: 12_000 },
}
const signal = new AbortController().signal
const zinc = (bytes: Buffer) => ingestImage(deps, Readable.from([bytes]), signal)

// The first round of each warms libvips, the children and the disk cache; it is not counted.
const rounds: { bare: number; zinc: number }[] = []
for (let round = 0; round <= ROUNDS; round++) {
  const rates = { bare: await perSecond(ofRound(round), bare), zinc: await perSecond(ofRound(round), zinc) }
  if (round > 0) rounds.push(rates)
}
// Variants of what is stored already, as a regenerate run makes them: two an image from one
// decode.
const variantConfig = await deps.variantSettings.current()
const blobs = await db.blob.findMany({ take: COUNT, select: { sha256: true } })
const wanted = LARGEST_FIRST.map((name) => ({ name, format: 'webp' as const }))
const began = performance.now()
await Promise.all(
  blobs.map(({ sha256 }) => limit(() => makeVariants(deps, { sha256, config: variantConfig, wanted }, signal, { shed: false }))),
)
const variantsPerSecond = (blobs.length * wanted.length) / ((performance.now() - began) / 1000)

// One image at a time, from its first byte to its rows: what somebody waits for who uploads one.
const alone: number[] = []
for (const bytes of ofRound(ROUNDS + 1).slice(0, 40)) {
  const start = performance.now()
  await zinc(bytes)
  alone.push(performance.now() - start)
}
alone.sort((a, b) => a - b)

const middle = (of: number[]) => [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)]!
console.log(
  JSON.stringify({
    bare_per_second: middle(rounds.map((it) => it.bare)),
    zinc_per_second: middle(rounds.map((it) => it.zinc)),
    ratio: middle(rounds.map((it) => it.zinc / it.bare)),
    variants_per_second: variantsPerSecond,
    one_alone_ms: { median: alone[20], p95: alone[37] },
    pictures: photosDir === '' ? 'drawn, 640 px' : 'photographs',
  }),
)
await workers[Symbol.asyncDispose]()
await db.$disconnect()
await rm(dir, { recursive: true })
process.exit(0)
