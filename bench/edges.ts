import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { pino } from 'pino'
import { migrate } from '../src/database/migrate.ts'
import { addBlobs, addProducts } from '../test/helpers/feed-rows.ts'
import { addImages, image } from './edge-images.ts'
import { installed, type Load, load as loadWith } from './wrk.ts'

/** The photo sync beside its floors. Arguments: two databases. Prints one line of JSON. */
const [listUrl = '', pullUrl = ''] = process.argv.slice(2)
const SECONDS = 5
const CONNECTIONS = 16
const LISTED = 100_000
const PULLED = 2_204
const LINE = { delayMs: 25, bytesPerSecond: 12_500_000 } // 50 ms there and back, 100 Mbit/s
const PASSWORD = 'only-for-the-bench'
const run = promisify(execFile)
const children = new Set<ChildProcess>()
const dataDir = await mkdtemp(join(tmpdir(), 'zinc-bench-'))
await chmod(dataDir, 0o755)
const imagesDir = join(dataDir, 'images')

async function start(args: string[], env: Record<string, string> = {}): Promise<string> {
  const child = spawn(process.execPath, args, { env: { PATH: process.env.PATH ?? '', ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  children.add(child)
  for await (const chunk of child.stdout!) {
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(String(chunk))?.[0]
    if (url) return url
  }
  throw new Error(`${args[0]} did not start`)
}
const startZinc = (databaseUrl: string, more: Record<string, string> = {}) =>
  start(['src/server.ts'], {
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    PORT: '0',
    LOG_LEVEL: 'error',
    ADMIN_PASSWORD: PASSWORD,
    API_REQUESTS_PER_MINUTE: '0',
    ...more,
  })

async function addStore(url: string): Promise<{ id: string; token: string }> {
  const post = async (path: string, body: object, token?: string) => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    })
    return ((await response.json()) as { data: { access_token: string; id: string; token: string } }).data
  }
  const { access_token } = await post('/api/v1/auth/login', { username: 'admin', password: PASSWORD })
  const { id } = await post('/api/v1/stores', { code: 'bench', name: 'bench' }, access_token)
  const { token } = await post(`/api/v1/stores/${id}/tokens`, { name: 'bench' }, access_token)
  return { id, token }
}

const PATHS = 500
const wrk = await installed('wrk')

/** `path` is called for each of some hundred requests, which are then repeated. */
async function load(url: string, path: () => string, headers: Record<string, string> = {}): Promise<Load> {
  const requests = Array.from({ length: PATHS }, () => ({ path: path(), headers }))
  const result = await loadWith(url, { requests, seconds: SECONDS, connections: CONNECTIONS })
  if (result.errors > 0) throw new Error(`${result.errors} errors of ${url}${path()}`)
  return result
}
/** Both in turns, so that whatever else the machine does falls on both. */
async function beside(zinc: () => Promise<Load>, floor: () => Promise<Load>) {
  if (!wrk) return 'not measured: wrk is not installed'
  const rounds: { zinc: Load; floor: Load }[] = []
  for (let n = 0; n < 2; n++) rounds.push({ zinc: await zinc(), floor: await floor() })
  const mean = (of: 'zinc' | 'floor') => rounds.reduce((sum, round) => sum + round[of].requests_per_second, 0) / rounds.length
  return {
    zinc_per_second: Math.round(mean('zinc')),
    floor_per_second: Math.round(mean('floor')),
    ratio: Number((mean('zinc') / mean('floor')).toFixed(2)),
    zinc_p99_ms: rounds.at(-1)?.zinc.p99_ms,
  }
}

async function withDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  await migrate(url, { log: pino({ level: 'silent' }) })
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
    await tidyDatabase(url)
  }
}

/**
 * What PostgreSQL does by itself within minutes of so many new rows, and not while it is being
 * measured.
 */
async function tidyDatabase(url: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query('vacuum (analyze)')
  await client.query('checkpoint')
  await client.end()
}

/** A TCP line of a known speed, in a process of its own. */
const lineTo = (url: string) => start(['bench/throttled-proxy.ts', url, String(LINE.delayMs), String(LINE.bytesPerSecond)])

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}
async function startNginx(program: string, root: string): Promise<string> {
  const port = await freePort()
  const home = await mkdtemp(join(dataDir, 'nginx-'))
  await chmod(home, 0o755)
  const configuration = `worker_processes 1; daemon off; pid ${home}/pid; error_log /dev/null;
    events { worker_connections 1024; }
    http { access_log off; sendfile on; keepalive_requests 1000000; default_type image/jpeg; server { listen 127.0.0.1:${port}; root ${root}; } }`
  await writeFile(join(home, 'nginx.conf'), configuration)
  const child = spawn(program, ['-p', home, '-c', join(home, 'nginx.conf')], { stdio: 'ignore' })
  children.add(child)
  for (let tries = 0; tries < 100; tries++) {
    if (await fetch(`http://127.0.0.1:${port}/`).catch(() => null)) break
    await pause(50)
  }
  return `http://127.0.0.1:${port}`
}

async function stopAll(): Promise<void> {
  await Promise.all(
    [...children].map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await gone
    }),
  )
  children.clear()
}

// Told to stop in the middle, it leaves no server behind.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stopAll().finally(() => process.exit(1)))

const figures: Record<string, unknown> = { picture_bytes: image.length }
try {
  // Lists, on a catalogue of 100,000.
  await withDatabase(listUrl, async (client) => {
    await addBlobs(client, 5_000)
    await addProducts(client, LISTED, { blobs: 5_000 })
  })
  const sample = join(dataDir, 'sample.jpg')
  await writeFile(sample, image)
  {
    // These images have no files: a worker would look for each of them all the while.
    const zinc = await startZinc(listUrl, { ROLE: 'api' })
    const store = await addStore(zinc)
    const headers = { authorization: `Bearer ${store.token}` }
    const list = (offset: number) => `/api/v1/sync/product-photos/?store_id=${store.id}&limit=100&offset=${offset}`
    const size = (await (await fetch(`${zinc}${list(0)}`, { headers })).text()).length
    const peer = await start(['bench/edge-peer.ts', listUrl, sample, String(size)])
    const anywhere = () => Math.floor(Math.random() * (LISTED - 100))
    const timed = async (offset: number) => {
      const times = []
      for (let n = 0; n < 40; n++) {
        const began = performance.now()
        await (await fetch(`${zinc}${list(offset + n)}`, { headers })).arrayBuffer()
        times.push(performance.now() - began)
      }
      return Number(times.sort((a, b) => a - b)[20]!.toFixed(2))
    }
    // The first reader has all the new photos numbered, which touches each row.
    await timed(50_000)
    await tidyDatabase(listUrl)
    figures.list_page = await beside(
      () => load(zinc, () => list(anywhere()), headers),
      () => load(peer, () => `/list?offset=${anywhere()}`),
    )
    figures.list_page_again = await beside(
      () => load(zinc, () => list(0), headers),
      () => load(peer, () => '/constant'),
    )
    if (wrk) figures.digest = await load(zinc, () => `/api/v1/sync/product-photos/digest?store_id=${store.id}`, headers)
    figures.page_depth_ms = { first: await timed(0), last: await timed(LISTED - 200) }
    await stopAll()
  }

  // Downloads and pulls, of a shop's 2,204 images.
  const total = await withDatabase(pullUrl, (client) => addImages(client, { count: PULLED, imagesDir }))
  const zinc = await startZinc(pullUrl)
  const store = await addStore(zinc)
  const headers = { authorization: `Bearer ${store.token}` }
  const page = await fetch(`${zinc}/api/v1/sync/product-photos/?store_id=${store.id}&limit=200`, { headers })
  const { photos } = ((await page.json()) as { data: { photos: { id: string; sha256: string }[] } }).data
  const any = () => photos[Math.floor(Math.random() * photos.length)]!
  const download = () => load(zinc, () => `/api/v1/sync/product-photos/${any().id}/download/?store_id=${store.id}`, headers)
  const peer = await start(['bench/edge-peer.ts', pullUrl, sample, '0'])
  if (wrk) await download()
  figures.download_beside_memory = await beside(download, () => load(peer, () => '/memory'))
  const nginx = await installed('nginx')
  if (nginx) {
    const url = await startNginx(nginx, join(imagesDir, 'originals'))
    const file = () => {
      const { sha256 } = any()
      return `/${sha256.slice(0, 2)}/${sha256}`
    }
    figures.download_beside_nginx = await beside(download, () => load(url, file))
  } else figures.download_beside_nginx = 'not measured: nginx is not installed'

  // The first pull, over a line of a known speed.
  const line = await lineTo(zinc)
  const pullInto = async (dir: string) => {
    const began = performance.now()
    await run(process.execPath, ['bin/zinc.js', 'edge', 'pull', '--server', line, '--store', store.id, '--dir', dir], {
      env: { PATH: process.env.PATH ?? '', ZINC_EDGE_TOKEN: store.token },
    })
    return (performance.now() - began) / 1000
  }
  const lineSeconds = total / LINE.bytesPerSecond
  const edgeDir = join(dataDir, 'edge')
  const first = await pullInto(edgeDir)
  const nothing = await pullInto(edgeDir)
  figures.pull = {
    photos: PULLED,
    megabytes: Math.round(total / 1e6),
    line_seconds: Number(lineSeconds.toFixed(2)),
    zinc_seconds: Number(first.toFixed(2)),
    of_the_line: Number((lineSeconds / first).toFixed(2)),
    nothing_changed_seconds: Number(nothing.toFixed(2)),
  }
  const rclone = await installed('rclone')
  if (rclone && nginx) {
    const url = await lineTo(await startNginx(nginx, join(imagesDir, 'originals')))
    const list = join(dataDir, 'files.txt')
    const all: string[] = []
    for (let offset = 0; offset < PULLED; offset += 1000) {
      const response = await fetch(`${zinc}/api/v1/sync/product-photos/?store_id=${store.id}&limit=1000&offset=${offset}`, { headers })
      for (const { sha256 } of ((await response.json()) as { data: { photos: { sha256: string }[] } }).data.photos)
        all.push(`${sha256.slice(0, 2)}/${sha256}`)
    }
    await writeFile(list, all.join('\n'))
    const began = performance.now()
    await run(
      rclone,
      ['copy', ':http:', join(dataDir, 'rclone'), '--http-url', `${url}/`, '--files-from', list, '--transfers', '32', '--no-traverse'],
      {
        env: { PATH: process.env.PATH ?? '', HOME: dataDir },
      },
    )
    figures.pull_rclone_seconds = Number(((performance.now() - began) / 1000).toFixed(2))
  } else figures.pull_rclone_seconds = 'not measured: rclone (and nginx to serve it) is not installed'
  console.log(JSON.stringify(figures))
} finally {
  await stopAll()
  await rm(dataDir, { recursive: true, force: true })
}
