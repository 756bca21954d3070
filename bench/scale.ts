import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { pino } from 'pino'
import { openEmbeddedPostgres } from '../src/database/embedded/embedded-postgres.ts'
import { freePort, type Part, startNginx, startPart } from '../test/topology/parts.ts'
import { addImages, image } from './edge-images.ts'
import { installed, load } from './wrk.ts'

// `node bench/scale.ts [--stores 1000] [--seconds 15]`: 1, 2 and 4 API processes behind nginx, with stores that ask each
// minute and 50 that download. Each configuration in one run; more processes than cores are not measured.
const { values } = parseArgs({
  options: { stores: { type: 'string', default: '1000' }, seconds: { type: 'string', default: '15' } },
})
const [STORES, SECONDS, DOWNLOADING, PHOTOS] = [Number(values.stores), Number(values.seconds), 50, 500]
const PASSWORD = randomBytes(18).toString('base64url')

/** Processor seconds of a process and of its living children, from Linux's /proc (100 ticks a second). */
async function processorSeconds(pid: number): Promise<number> {
  let ticks = 0
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
    const [, parent, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // utime, stime and those of children that have ended; see proc(5).
    const own = [9, 10, ...(Number(name) === pid ? [11, 12] : [])]
    if (Number(name) === pid || Number(parent) === pid) ticks += own.reduce((sum, field) => sum + Number(fields[field]), 0)
  }
  return ticks / 100
}

const wrk = await installed('wrk')
const nginx = await installed('nginx')
if (!wrk || !nginx) {
  console.log(`not measured: ${wrk ? 'nginx' : 'wrk'} is not installed`)
  process.exit(0)
}
const dir = await mkdtemp(join(tmpdir(), 'zinc-scale-'))
await chmod(dir, 0o755)
const parts: Part[] = []
const database = await openEmbeddedPostgres({ dataDir: join(dir, 'postgres'), log: pino({ level: 'silent' }), tcp: true })
const postmaster = Number((await readFile(join(dir, 'postgres/postgres/cluster/postmaster.pid'), 'utf8')).split('\n')[0])
try {
  const environment = {
    DATA_DIR: join(dir, 'data'),
    DATABASE_URL: database.url,
    DATABASE_MAX_CONNECTIONS: '8',
    ADMIN_PASSWORD: PASSWORD,
    JWT_SECRET: randomBytes(32).toString('base64'),
    CREDENTIALS_KEY: randomBytes(32).toString('base64'),
    API_REQUESTS_PER_MINUTE: '0',
    TRUSTED_PROXIES: 'loopback',
    ROLE: 'api',
    LOG_LEVEL: 'error',
  }
  const startApi = async (n: number, port: number) => {
    const part = await startPart(`api-${n}`, {
      command: [process.execPath, '--max-semi-space-size=8', '--max-old-space-size=1024', 'src/server.ts'],
      environment: { ...environment, PORT: String(port) },
      probe: async () => {
        const { ok, status } = await fetch(`http://127.0.0.1:${port}/health/ready`)
        if (!ok) throw new Error(`not ready: ${status}`)
      },
      logDir: dir,
    })
    parts.push(part)
    return part
  }
  const ports = [await freePort(), await freePort(), await freePort(), await freePort()]
  const apis = [await startApi(1, ports[0]!)]
  const url = `http://127.0.0.1:${ports[0]}`
  const client = new pg.Client(database.url)
  await client.connect()
  await addImages(client, { count: PHOTOS, imagesDir: join(dir, 'data', 'images') })
  const post = async (path: string, body: object, token?: string) => {
    const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
    const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return ((await response.json()) as { data: { access_token: string; id: string; token: string } }).data
  }
  const { access_token } = await post('/api/v1/auth/login', { username: 'admin', password: PASSWORD })
  const stores: { id: string; headers: Record<string, string> }[] = []
  for (let n = 0; n < STORES; n++) {
    const { id } = await post('/api/v1/stores', { code: `S${n}`, name: `Store ${n}` }, access_token)
    const { token } = await post(`/api/v1/stores/${id}/tokens`, { name: 'bench' }, access_token)
    stores.push({ id, headers: { authorization: `Bearer ${token}` } })
  }
  const [first] = stores
  const list = await fetch(`${url}/api/v1/sync/product-photos/?store_id=${first!.id}&limit=500`, { headers: first!.headers })
  const photos = ((await list.json()) as { data: { photos: { id: string }[] } }).data.photos
  await client.query('vacuum (analyze)')
  await client.end()

  const asks = stores.map(({ id, headers }) => ({ path: `/api/v1/sync/product-photos/digest?store_id=${id}`, headers }))
  const downloads = photos.map(({ id }, n) => {
    const store = stores[n % stores.length]!
    return { path: `/api/v1/sync/product-photos/${id}/download/?store_id=${store.id}`, headers: store.headers }
  })
  const table: Record<string, unknown>[] = []
  for (const processes of [1, 2, 4]) {
    if (processes > Math.max(2, availableParallelism())) {
      console.log(`${processes} API processes: not measured on ${availableParallelism()} cores`)
      continue
    }
    while (apis.length < processes) apis.push(await startApi(apis.length + 1, ports[apis.length]!))
    const listen = await freePort()
    const front = await startNginx({ listen, to: ports.slice(0, processes), dir })
    parts.push(front)
    const at = `http://127.0.0.1:${listen}`
    const used = async () => ({
      api: (await Promise.all(apis.map((part) => processorSeconds(part.pid())))).reduce((sum, it) => sum + it, 0),
      database: await processorSeconds(postmaster),
    })
    await load(at, { requests: asks, seconds: 3, connections: 64 }) // warm

    const before = await used()
    const unchanged = await load(at, { requests: asks, seconds: SECONDS, connections: 64 })
    const after = await used()
    const count = unchanged.requests_per_second * SECONDS

    const times: number[] = []
    let on = true
    const everyMs = 60_000 / STORES
    const asking = (async () => {
      const begun = performance.now()
      const open = new Set<Promise<void>>()
      for (let n = 0; on; n++) {
        await pause(Math.max(0, begun + n * everyMs - performance.now()))
        const { path, headers } = asks[n % asks.length]!
        const sentAt = performance.now()
        const one = fetch(`${at}${path}`, { headers }).then(async (response) => {
          await response.arrayBuffer()
          if (!response.ok) throw new Error(`${path}: ${response.status}`)
          times.push(performance.now() - sentAt)
        })
        open.add(one)
        void one.finally(() => open.delete(one))
      }
      await Promise.all(open)
    })()
    const beforeDownloads = await used()
    const downloaded = await load(at, { requests: downloads, seconds: SECONDS, connections: DOWNLOADING })
    const afterDownloads = await used()
    on = false
    await asking
    times.sort((a, b) => a - b)
    const quantile = (q: number) => Number((times[Math.floor(times.length * q)] ?? Number.NaN).toFixed(1))
    const perRequest = (from: number, to: number, requests: number) => Number((((to - from) / requests) * 1000).toFixed(2))
    const row = {
      processes,
      unchanged_per_second: unchanged.requests_per_second,
      unchanged_p99_ms: unchanged.p99_ms,
      api_cpu_ms: perRequest(before.api, after.api, count),
      database_cpu_ms: perRequest(before.database, after.database, count),
      downloads_per_second: downloaded.requests_per_second,
      download_mb_per_second: Number(((downloaded.requests_per_second * image.length) / 1e6).toFixed(1)),
      download_p99_ms: downloaded.p99_ms,
      download_api_cpu_ms: perRequest(beforeDownloads.api, afterDownloads.api, downloaded.requests_per_second * SECONDS),
      asking_p50_ms: quantile(0.5),
      asking_p99_ms: quantile(0.99),
      errors: unchanged.errors + downloaded.errors,
    }
    table.push(row)
    await front.stop()
  }
  console.log(`${STORES} stores, ${PHOTOS} photos of ${image.length} bytes, ${DOWNLOADING} downloading, ${SECONDS} s each`)
  console.table(table)
} finally {
  for (const part of parts.reverse()) await part.stop()
  await database[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
}
