import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pLimit from 'p-limit'
import pg from 'pg'
import { addProducts } from '../test/helpers/feed-rows.ts'
import { benchImages } from './image-files.ts'

/**
 * What somebody waits who uploads an image over HTTP, from the first byte sent to the answer,
 * which comes when bytes and rows are safe: one alone, and
 * eight at once. Each image goes to a product of its own and is new to zinc. Arguments: an empty
 * database, a folder of photographs or '', Node's flags.
 */
const [databaseUrl = '', photosDir = '', ...flags] = process.argv.slice(2)
const WARM_UP = 16
const ALONE = 60
const TOGETHER = 160
const IN_FLIGHT = 8
const PASSWORD = 'only-for-the-bench'

const dataDir = await mkdtemp(join(tmpdir(), 'zinc-bench-'))
const server = spawn(process.execPath, [...flags, 'src/server.ts'], {
  env: {
    PATH: process.env.PATH ?? '',
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    PORT: '0',
    LOG_LEVEL: 'error',
    ADMIN_PASSWORD: PASSWORD,
    API_REQUESTS_PER_MINUTE: '0',
  },
  stdio: ['ignore', 'pipe', 'inherit'],
})
const gone = once(server, 'exit')

try {
  const url = await listening()
  const ids = await products(WARM_UP + ALONE + TOGETHER)
  const images = await benchImages(ids.length, photosDir)
  const token = await login(url)

  /** Milliseconds until the answer. */
  const upload = async (n: number): Promise<number> => {
    const form = new FormData()
    // A few bytes behind the end make copies of a photograph differ.
    form.append('file', new Blob([new Uint8Array(images[n]!), `${n}`]), `${n}.jpg`)
    const began = performance.now()
    const response = await fetch(`${url}/api/products/${ids[n]}/images/upload`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: form,
    })
    if (response.status !== 201) throw new Error(`an upload was answered ${response.status}: ${await response.text()}`)
    await response.arrayBuffer()
    return performance.now() - began
  }
  const uploadAll = (first: number, count: number, inFlight: number) => {
    const limit = pLimit(inFlight)
    return Promise.all(Array.from({ length: count }, (_, n) => limit(() => upload(first + n))))
  }

  await uploadAll(0, WARM_UP, IN_FLIGHT)
  const alone = await uploadAll(WARM_UP, ALONE, 1)
  const began = performance.now()
  const together = await uploadAll(WARM_UP + ALONE, TOGETHER, IN_FLIGHT)
  const perSecond = TOGETHER / ((performance.now() - began) / 1000)
  console.log(
    JSON.stringify({
      alone_ms: spread(alone),
      together_ms: spread(together),
      in_flight: IN_FLIGHT,
      per_second: perSecond,
      pictures: photosDir === '' ? 'drawn, 640 px' : 'photographs',
    }),
  )
} finally {
  server.kill('SIGTERM')
  await gone
  await rm(dataDir, { recursive: true, force: true })
}

async function listening(): Promise<string> {
  for await (const chunk of server.stdout) {
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(String(chunk))?.[0]
    if (url) return url
  }
  throw new Error('the server ended before it listened')
}

/** Products that have no image yet. */
async function products(count: number): Promise<string[]> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  try {
    await addProducts(client, count, { blobs: 0 })
    const { rows } = await client.query<{ id: string }>('select id from product')
    return rows.map((it) => it.id)
  } finally {
    await client.end()
  }
}

async function login(url: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password: PASSWORD }),
  })
  return ((await response.json()) as { data: { access_token: string } }).data.access_token
}

function spread(ms: number[]) {
  const sorted = [...ms].sort((a, b) => a - b)
  return { median: sorted[Math.floor(sorted.length / 2)]!, p95: sorted[Math.floor(sorted.length * 0.95)]! }
}
