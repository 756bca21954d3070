import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import pLimit from 'p-limit'
import { pino } from 'pino'
import sharp from 'sharp'
import { migrate } from '../src/database/migrate.ts'
import { openDatabase } from '../src/db.ts'
import { createBlobWriter } from '../src/photos/blob-writer.ts'
import { createDecoder } from '../src/photos/decoder.ts'
import { createFileStore } from '../src/photos/file-store.ts'
import { ingestPicture } from '../src/photos/ingest.ts'
import { createRecipes, DEFAULT_RECIPE, EFFORT, VARIANT_NAMES } from '../src/photos/recipe.ts'
import { drawPicture } from '../src/simulator/picture.ts'

/** Pictures a second: zinc's whole way in (judged, hashed, on disk with fsync, rows) beside a loop that only makes the same variants with sharp. */
const [databaseUrl = '', photosDir = ''] = process.argv.slice(2)
const COUNT = 300
const IN_FLIGHT = 8

async function pictures(): Promise<Buffer[]> {
  if (photosDir === '') return Promise.all(Array.from({ length: COUNT }, (_, seed) => drawPicture({ seed, category: 'Phones' })))
  const files = (await readdir(photosDir)).filter((name) => name.endsWith('.jpg'))
  const bytes = await Promise.all(files.map((name) => readFile(join(photosDir, name))))
  // Each once under its own hash: a comment segment's worth of bytes behind the end makes copies differ.
  return Array.from({ length: COUNT }, (_, n) => Buffer.concat([bytes[n % bytes.length]!, Buffer.from(String(n))]))
}

const all = await pictures()
// The decoder's idle children do not hold a process open, so the bench holds itself.
setInterval(() => {}, 1_000)
const dir = await mkdtemp(join(tmpdir(), 'zinc-bench-'))

async function bare(): Promise<number> {
  sharp.concurrency(1)
  sharp.cache(false)
  const limit = pLimit(IN_FLIGHT)
  const began = performance.now()
  await Promise.all(
    all.map((bytes, n) =>
      limit(async () => {
        for (const name of VARIANT_NAMES) {
          const side = DEFAULT_RECIPE.sizes[name]
          const [quality, effort] = [DEFAULT_RECIPE.quality.webp, EFFORT.webp]
          await writeFile(
            join(dir, `${n}-${name}`),
            await sharp(bytes)
              .autoOrient()
              .resize(side, side, { fit: 'inside', withoutEnlargement: true })
              .webp({ quality, effort })
              .toBuffer(),
          )
        }
      }),
    ),
  )
  return COUNT / ((performance.now() - began) / 1000)
}

async function zinc(): Promise<number> {
  await migrate(databaseUrl, { log: pino({ level: 'silent' }) })
  const db = openDatabase(databaseUrl)
  const decoder = createDecoder()
  const deps = {
    db,
    store: createFileStore(join(dir, 'store')),
    decoder,
    recipes: createRecipes(db),
    writeBlob: createBlobWriter(db),
    limits: { maxBytes: 25_000_000, maxPixels: 50_000_000, maxSide: 12_000 },
  }
  const limit = pLimit(IN_FLIGHT)
  const signal = new AbortController().signal
  const began = performance.now()
  await Promise.all(all.map((bytes) => limit(() => ingestPicture(deps, Readable.from([bytes]), signal))))
  const rate = COUNT / ((performance.now() - began) / 1000)
  await decoder[Symbol.asyncDispose]()
  await db.$disconnect()
  return rate
}

await bare() // warms both libvips and the disk cache; not counted
const rates = { bare_per_second: await bare(), zinc_per_second: await zinc() }
console.log(
  JSON.stringify({
    ...rates,
    ratio: rates.zinc_per_second / rates.bare_per_second,
    pictures: photosDir === '' ? 'drawn, 640 px' : 'photographs',
  }),
)
await rm(dir, { recursive: true })
process.exit(0)
