// The services of compose.yaml as plain processes, with what Debian's packages offer beside them. Prints
// each check as passed, FAILED or NOT RUN; exits with 1 when one failed. Run it with .ci/topology.
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chownSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { pino } from 'pino'
import { findManifest } from '../../src/backup/manifest.ts'
import { openTarget } from '../../src/backup/target.ts'
import { parseConfig } from '../../src/config.ts'
import { openEmbeddedPostgres } from '../../src/database/embedded/embedded-postgres.ts'
import { tableDigests } from '../../src/database/table-digests.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { environmentFor, startZohoSimulator } from '../../src/zoho-simulator/simulator.ts'
import { smallImage } from '../helpers/images.ts'
import { buildImage } from './image.ts'
import { freePort, has, listens, type Part, startNginx, startPart, until } from './parts.ts'

const run = promisify(execFile)
const ITEMS = Number(process.env.TOPOLOGY_ITEMS ?? 200)
const LOAD = 8
const dir = await mkdtemp(join(tmpdir(), 'zinc-topology-'))
await chmod(dir, 0o755)
const cleanUps: (() => unknown)[] = [() => rm(dir, { recursive: true, force: true })]
let failed = 0

const notRun = (what: string, why: string) => console.log(`NOT RUN  ${what}: ${why}`)
async function check(what: string, work: () => Promise<string>): Promise<void> {
  const begun = performance.now()
  const seconds = () => ((performance.now() - begun) / 1_000).toFixed(1)
  await work().then(
    (found) => console.log(`passed   ${what}: ${found} (${seconds()} s)`),
    (error: unknown) => {
      failed++
      console.log(`FAILED   ${what} (${seconds()} s): ${error instanceof Error ? (error.stack ?? error.message) : error}`)
    },
  )
}
function same(found: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)]
  if (a !== b) throw new Error(`${what}: ${a}, expected ${b}`)
}

async function ok(url: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init)
  if (!response.ok) throw new Error(`${url}: ${response.status} ${(await response.text()).slice(0, 300)}`)
  return response
}

async function startTopology() {
  const zoho = await startZohoSimulator({ items: createSeed({ count: ITEMS }), imageOf: smallImage })
  const postgres = await openEmbeddedPostgres({ dataDir: join(dir, 'postgres'), log: pino({ level: 'silent' }), tcp: true })
  cleanUps.push(
    () => zoho.close(),
    () => postgres[Symbol.asyncDispose](),
  )
  const start = async (...args: Parameters<typeof startPart>) => {
    const part = await startPart(...args)
    cleanUps.push(part.stop)
    return part
  }
  const bucketPort = await freePort()
  const bucketOptions = {
    address: '127.0.0.1',
    port: bucketPort,
    silent: true,
    directory: join(dir, 'bucket'),
    configureBuckets: [{ name: 'pictures', configs: [] }],
  }
  await mkdir(bucketOptions.directory)
  const bucket = await start('bucket', {
    command: [
      process.execPath,
      '--input-type=module',
      '-e',
      `import S3rver from 's3rver'; await new S3rver(${JSON.stringify(bucketOptions)}).run()`,
    ],
    probe: listens(bucketPort),
    logDir: dir,
  })
  const pooler = await startPooler(postgres.url, start)
  const nginxPort = await freePort()
  const environment: Record<string, string> = {
    ...environmentFor(zoho.url),
    DATA_DIR: join(dir, 'data'),
    DATABASE_URL: pooler?.url ?? postgres.url,
    DATABASE_MAX_CONNECTIONS: '6',
    ADMIN_PASSWORD: randomBytes(18).toString('base64url'),
    JWT_SECRET: randomBytes(32).toString('base64'),
    CREDENTIALS_KEY: randomBytes(32).toString('base64'),
    STORAGE: 's3',
    S3_ENDPOINT: `http://127.0.0.1:${bucketPort}`,
    S3_BUCKET: 'pictures',
    S3_ACCESS_KEY_ID: 'S3RVER',
    S3_SECRET_ACCESS_KEY: 'S3RVER',
    S3_FORCE_PATH_STYLE: '1',
    API_REQUESTS_PER_MINUTE: '0',
    TRUSTED_PROXIES: 'loopback',
    STOCK_PERCENT: '0',
    LOG_LEVEL: 'warn',
  }
  const ports = { 'api-1': await freePort(), 'api-2': await freePort(), 'worker-1': await freePort(), 'worker-2': await freePort() }
  const startZinc = (name: keyof typeof ports) =>
    start(name, {
      command: [process.execPath, 'src/server.ts'],
      environment: { ...environment, PORT: String(ports[name]), ROLE: name.startsWith('api') ? 'api' : 'worker' },
      probe: () => ok(`http://127.0.0.1:${ports[name]}/health/ready`),
      logDir: dir,
    })
  const apis = [await startZinc('api-1'), await startZinc('api-2')]
  const workers = [await startZinc('worker-1'), await startZinc('worker-2')]
  const nginx = has('nginx') ? await startNginx({ listen: nginxPort, to: [ports['api-1'], ports['api-2']], dir }, start) : null
  const url = `http://127.0.0.1:${nginx ? nginxPort : ports['api-1']}`
  const postmaster = {
    name: 'postgres',
    kill: killPostgres,
    ready: async () => void (await until(() => query(postgres.url, 'select 1'), 'postgres')),
  }
  return {
    zoho,
    postgres,
    environment,
    apis,
    workers,
    killable: [...apis, ...workers, bucket, postmaster, pooler, nginx].filter((it) => it !== null),
    url,
  }
}

/** The embedded server's watcher starts it again on the same port. */
async function killPostgres(): Promise<void> {
  const pid = Number((await readFile(join(dir, 'postgres/postgres/cluster/postmaster.pid'), 'utf8')).split('\n')[0])
  process.kill(pid, 'SIGKILL')
}

async function query<T extends object>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  return client
    .query<T>(sql)
    .then(({ rows }) => rows)
    .finally(() => client.end())
}

type Start = (...args: Parameters<typeof startPart>) => Promise<Part>

/** PgBouncer in session mode. It does not run as root. */
async function startPooler(target: string, start: Start): Promise<(Part & { url: string }) | null> {
  if (!has('pgbouncer')) return null
  const [{ hostname, port: to, username, password }, port, ini] = [new URL(target), await freePort(), join(dir, 'pgbouncer.ini')]
  const login = `user=${username} password=${decodeURIComponent(password)}`
  const lines = [
    ...['[databases]', `* = host=${hostname} port=${to} ${login}`, '[pgbouncer]', 'pool_mode = session', 'auth_type = any'],
    ...['listen_addr = 127.0.0.1', `listen_port = ${port}`, 'unix_socket_dir =', 'default_pool_size = 60'],
  ]
  await writeFile(ini, `${lines.join('\n')}\n`, { mode: 0o600 })
  const uid = process.getuid?.() === 0 ? 65_534 : undefined
  if (uid !== undefined) chownSync(ini, uid, uid)
  const url = new URL(target)
  url.host = `127.0.0.1:${port}`
  const options = { command: ['pgbouncer', ini] as [string, string], probe: () => query(url.href, 'select 1'), logDir: dir }
  return { ...(await start('pgbouncer', { ...options, ...(uid !== undefined && { uid }) })), url: url.href }
}

const topology = await startTopology()
const { zoho, environment, apis, workers, killable, url } = topology
async function login(at = url): Promise<RequestInit> {
  const body = JSON.stringify({ username: 'admin', password: environment.ADMIN_PASSWORD })
  const response = await ok(`${at}/api/v1/auth/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return { headers: { authorization: `Bearer ${((await response.json()) as { data: { access_token: string } }).data.access_token}` } }
}
const admin = await login()
const get = async <T>(path: string, at = url, init = admin) => (await (await ok(`${at}${path}`, init)).json()) as T
const SYNC = '/api/settings/integrations/zoho/sync'

/** Starts a sync of everything, and waits until the run of it has ended. */
async function sync(meanwhile: () => Promise<void> = async () => {}): Promise<string> {
  const begin = () => ok(`${url}${SYNC}/item/execute?sync_images=true&mode=full&wait=false`, { ...admin, method: 'POST' })
  const { run_id } = (await (await until(begin, 'a sync to begin')).json()) as { run_id: string }
  await meanwhile()
  return until(async () => {
    const { data } = await get<{ data: { state: string } }>(`${SYNC}/runs/${run_id}`)
    if (['queued', 'running', 'paused'].includes(data.state)) throw new Error(`the run is ${data.state}`)
    return data.state
  }, 'the end of a sync')
}

/** Every item is there with its price, and every image that Zoho has. */
async function isWhole(): Promise<string> {
  const rows = await query<{ zoho_item_id: string; rate: string; images: number }>(
    topology.postgres.url,
    `select p.zoho_item_id, p.selling_price::float8::text as rate, count(f.id)::int as images from product p
     left join photo f on f.product_id = p.id and f.deleted_at is null where p.deleted_at is null group by p.id order by p.zoho_item_id`,
  )
  const items = [...zoho.items()].sort((a, b) => (a.item_id < b.item_id ? -1 : 1))
  same(
    rows.map((it) => [it.zoho_item_id, Number(it.rate)]),
    items.map((it) => [it.item_id, it.rate]),
    'items',
  )
  const images = rows.reduce((sum, it) => sum + it.images, 0)
  same(images, items.filter((it) => it.image_document_id).length, 'images')
  return `${rows.length} items, ${images} images`
}

await check('a sync through two API processes and two workers', async () => {
  same(await sync(), 'success', 'state')
  return isWhole()
})

for (const part of killable)
  await check(`kill -9 of ${part.name} in a sync`, async () => {
    for (const { item_id } of zoho.items().slice(0, 50)) zoho.edit(item_id, { rate: Math.round(Math.random() * 1e5) / 100 })
    let servedAfterMs = 0
    const state = await sync(async () => {
      await part.kill()
      const killed = performance.now()
      await until(() => get('/api/products?limit=1'), 'a request to be served')
      servedAfterMs = performance.now() - killed
      await part.ready()
    })
    // What the dead part kept from the run is left to the next one.
    const again = state === 'success' ? null : await sync()
    if (again !== null) same(again, 'success', `the sync after one that ended as ${state}`)
    return `served after ${servedAfterMs.toFixed(0)} ms, run ${state}${again === null ? '' : ', the next success'}, ${await isWhole()}`
  })

await check('a rolling restart under load', async () => {
  const { data } = await get<{ data: { id: string }[] }>(`/api/products?limit=50&has_image=true`)
  const counts = { requests: 0, cut: 0, refused: [] as string[] }
  let on = true
  const asking = Array.from({ length: LOAD }, async (_, n) => {
    for (let at = n; on; at++) {
      const id = data[at % data.length]!.id
      const path = at % 2 === 0 ? `/api/products/${id}` : '/api/products?limit=20'
      counts.requests++
      await fetch(`${url}${path}`, admin).then(
        async (response) => {
          await response.arrayBuffer().catch(() => counts.cut++)
          if (!response.ok) counts.refused.push(`${response.status} ${path}`)
        },
        () => counts.cut++,
      )
    }
  })
  for (const part of [...apis, ...workers]) await part.replace()
  await pause(500)
  on = false
  await Promise.all(asking)
  same(counts.refused.slice(0, 5), [], `failed requests (${counts.refused.length} of ${counts.requests}, ${counts.cut} cut)`)
  return `${counts.requests} requests, 0 failed, ${counts.cut} cut`
})

await check('a backup restored into an empty place, with equal digests', async () => {
  const [target, place] = [join(dir, 'backup'), join(dir, 'place')]
  const zinc = async (args: string[], env: Record<string, string>) =>
    run(process.execPath, ['src/cli/main.ts', ...args], { env: { PATH: process.env.PATH ?? '', ...env } })
  await zinc(['backup', target], environment)
  await query(topology.postgres.url, 'create database restored')
  const database = new URL(topology.postgres.url)
  database.pathname = '/restored'
  // With its bucket known, zinc would read there what is not on the disk yet.
  const rest = Object.fromEntries(Object.entries(environment).filter(([key]) => !key.startsWith('S3_')))
  const port = await freePort()
  const there = { ...rest, STORAGE: 'file', DATA_DIR: place, DATABASE_URL: database.href, PORT: String(port) }
  await zinc(['restore', target], there)
  const opened = await openTarget(target, { bucketAccess: parseConfig({}).backup.s3, workDir: join(dir, 'work') })
  const { database: backedUp } = await findManifest(opened, { name: target })
  const client = new pg.Client(database.href)
  await client.connect()
  await client.query('begin')
  const found = await tableDigests(client).finally(() => client.end())
  // What a restore writes of itself: the backup that was running, and whose database it is.
  const own = ['backup', 'instance_property']
  const shop = (digests: object) =>
    Object.fromEntries(
      Object.entries(digests)
        .filter(([name]) => !own.includes(name))
        .sort(),
    )
  same(shop(found), shop(backedUp.digests), 'digests')
  const at = `http://127.0.0.1:${port}`
  const restored = await startPart('restored', {
    command: [process.execPath, 'src/server.ts'],
    environment: there,
    probe: () => ok(`${at}/health/ready`),
    logDir: dir,
  })
  try {
    const account = await login(at)
    const photos = await query<{ id: string; sha256: string }>(
      topology.postgres.url,
      'select id, sha256 from photo where deleted_at is null',
    )
    for (const { id, sha256 } of photos) {
      const bytes = Buffer.from(await (await ok(`${at}/images/${id}`, account)).arrayBuffer())
      same(createHash('sha256').update(bytes).digest('hex'), sha256, `image ${id}`)
    }
    return `${Object.keys(backedUp.digests).length} tables, ${backedUp.rows} rows, ${photos.length} images`
  } finally {
    await restored.stop()
  }
})

if (!has('nginx')) notRun('nginx in front, and its kill', 'apt-get install nginx-light')
if (!has('pgbouncer')) notRun('PgBouncer in session mode, and its kill', 'apt-get install pgbouncer')
notRun("an S3-compatible server of Debian's", 'none that keeps buckets on disk is packaged; the small one from npm was used')
const unbuildable =
  !has('buildah') || !has('debootstrap') ? 'apt-get install buildah debootstrap' : process.getuid?.() === 0 ? null : 'root'
if (unbuildable) notRun('the image of the Dockerfile', `it needs ${unbuildable}`)
else
  await check('the image of the Dockerfile, built and started', async () => {
    const image = await buildImage(join(dir, 'image'))
    const port = await freePort()
    await query(topology.postgres.url, 'create database contained')
    const database = new URL(topology.postgres.url)
    database.pathname = '/contained'
    const { ADMIN_PASSWORD = '', JWT_SECRET = '', CREDENTIALS_KEY = '' } = environment
    const part = await startPart('image', {
      command: await image.command({
        environment: { PORT: String(port) },
        secrets: { DATABASE_URL: database.href, ADMIN_PASSWORD, JWT_SECRET, CREDENTIALS_KEY },
      }),
      probe: () => ok(`http://127.0.0.1:${port}/health/ready`),
      logDir: dir,
    })
    try {
      const at = `http://127.0.0.1:${port}`
      const { data } = await get<{ data: unknown[] }>('/api/products', at, await login(at))
      same(data, [], 'products of an empty shop')
      same(/<html/.test(await (await ok(`${at}/`)).text()), true, 'the page')
      return `${(image.bytes / 1e6).toFixed(0)} MB`
    } finally {
      await part.stop()
      await image.remove()
    }
  })
for (const cleanUp of cleanUps.reverse()) {
  if (failed > 0 && cleanUp === cleanUps.at(-1))
    console.log(`logs: ${dir} has ${(await readdir(dir)).filter((it) => it.endsWith('.log')).join(' ')}`)
  else await Promise.resolve(cleanUp()).catch(() => {})
}
process.exit(failed > 0 ? 1 : 0)
