import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import pg from 'pg'
import { pino } from 'pino'
import { openEmbeddedPostgres } from '../src/database/embedded/embedded-postgres.ts'

// `npm run bench -- [--only start|items|pictures|queue|uploads|pulls|page|edges] [--items
// 2204,100000] [--photos DIR] [--pulls rows:100000,details:3000]`: every figure of
// one table comes from one run on one machine.
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    items: { type: 'string', default: '2204,100000' },
    photos: { type: 'string', default: '' },
    pulls: { type: 'string', default: 'rows:100000,details:3000' },
  },
})
const run = promisify(execFile)
/** Memory is measured as `npm start` runs zinc. */
const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as { scripts: { start: string } }
const startFlags = scripts.start.split(' ').filter((word) => word.startsWith('--'))
const dataDir = await mkdtemp(join(tmpdir(), 'zinc-bench-'))
await chmod(dataDir, 0o755)
const server = await openEmbeddedPostgres({ dataDir, log: pino({ level: 'silent' }), tcp: true })

async function freshDatabase(name: string): Promise<string> {
  const client = new pg.Client(server.url)
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  return server.url.replace(/\/postgres$/, `/${name}`)
}

async function startSimulator(count: string, invoices = '0'): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, ['bench/simulator.ts', count, invoices], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const chunk of child.stdout!) return { child, url: String(chunk).trim() }
  throw new Error('the simulator did not start')
}

interface Pass {
  seconds: number
  /** Seconds of processor time, of the process and of its database connections. */
  cpu: number
  database_cpu: number
  items: number
  calls: number
  written?: number
}
interface Figures {
  who: string
  peak_mb: number
  first: Pass
  full_again?: Pass
  incremental?: Pass
}
const results: {
  start?: unknown
  queue?: unknown
  items: Record<string, Figures[]>
  pictures: unknown[]
  uploads: unknown[]
  page: Record<string, PageFigures>
  edges?: unknown
} = {
  items: {},
  pictures: [],
  uploads: [],
  page: {},
}
const asked = (part: string) => values.only === undefined || values.only === part

if (asked('start')) {
  const { stdout } = await run(process.execPath, ['bench/start.ts', await freshDatabase('start'), join(dataDir, 'start'), ...startFlags])
  const figures = JSON.parse(stdout) as { ready_ms: { median: number }; idle_mb: number | null }
  results.start = figures
  console.log(`start to ready ${figures.ready_ms.median} ms  idle ${figures.idle_mb ?? 'not measured'} MB`)
}
if (asked('queue')) {
  const { stdout } = await run(process.execPath, ['bench/queue.ts', await freshDatabase('queue'), '2000'], { maxBuffer: 1024 * 1024 })
  results.queue = JSON.parse(stdout.trim().split('\n').at(-1)!)
  console.log('queue', JSON.stringify(results.queue))
}
for (const count of asked('items') ? values.items.split(',') : []) {
  const { child, url } = await startSimulator(count)
  const measured: Figures[] = []
  for (const who of ['bare', 'zinc']) {
    const { stdout } = await run(process.execPath, [...startFlags, 'bench/items.ts', who, url, await freshDatabase(`${who}_${count}`)])
    measured.push(JSON.parse(stdout) as Figures)
  }
  child.kill('SIGTERM')
  results.items[count] = measured
  for (const { who, peak_mb, ...passes } of measured) {
    for (const [pass, { seconds, cpu, database_cpu, items, calls, written }] of Object.entries(passes) as [string, Pass][]) {
      console.log(
        `${count.padStart(7)} items  ${who.padEnd(5)} ${pass.padEnd(12)} ${seconds.toFixed(2).padStart(7)} s  ${Math.round(items / seconds)
          .toString()
          .padStart(
            6,
          )} items/s  processor ${cpu.toFixed(2)} + ${database_cpu.toFixed(2)} s  ${calls} calls  ${written ?? '–'} written  peak ${peak_mb} MB`,
      )
    }
  }
}
interface ImageFigures {
  bare_per_second: number
  zinc_per_second: number
  ratio: number
  variants_per_second: number
  one_alone_ms: { median: number; p95: number }
  pictures: string
}
const imageSets = values.photos === '' ? [''] : ['', values.photos]
for (const photos of asked('pictures') ? imageSets : []) {
  const { stdout } = await run(process.execPath, ['bench/images.ts', await freshDatabase(`pictures_${results.pictures.length}`), photos])
  const figures = JSON.parse(stdout) as ImageFigures
  results.pictures.push(figures)
  console.log(
    `pictures (${figures.pictures})  zinc ${figures.zinc_per_second.toFixed(1)}/s  bare sharp ${figures.bare_per_second.toFixed(1)}/s  ratio ${figures.ratio.toFixed(2)}  ${Math.round(figures.variants_per_second)} variants/s  one alone ${Math.round(figures.one_alone_ms.median)} ms, p95 ${Math.round(figures.one_alone_ms.p95)} ms`,
  )
}
interface UploadFigures {
  alone_ms: { median: number; p95: number }
  together_ms: { median: number; p95: number }
  in_flight: number
  per_second: number
  pictures: string
}
for (const photos of asked('uploads') ? imageSets : []) {
  const args = ['bench/uploads.ts', await freshDatabase(`uploads_${results.uploads.length}`), photos, ...startFlags]
  const figures = JSON.parse((await run(process.execPath, args)).stdout) as UploadFigures
  results.uploads.push(figures)
  const told = ({ median, p95 }: { median: number; p95: number }) => `${Math.round(median)} ms, p95 ${Math.round(p95)} ms`
  console.log(
    `uploads over HTTP (${figures.pictures})  one alone ${told(figures.alone_ms)}  ${figures.in_flight} at once ${told(figures.together_ms)}, ${figures.per_second.toFixed(1)}/s`,
  )
}
const pulls: PullFigures[] = []
for (const [what = '', count = ''] of (asked('pulls') ? values.pulls : '')
  .split(',')
  .filter((it) => it !== '')
  .map((it) => it.split(':'))) {
  const { child, url } = await startSimulator('0', count)
  for (const who of ['bare', 'zinc']) {
    const { stdout } = await run(process.execPath, [
      ...startFlags,
      'bench/pull.ts',
      who,
      what,
      url,
      await freshDatabase(`pull_${who}_${what}`),
    ])
    const figures = JSON.parse(stdout) as PullFigures
    pulls.push(figures)
    for (const pass of ['first', 'full_again', 'incremental'] as const) {
      const it = figures[pass]
      if (it)
        console.log(
          `${count.padStart(7)} invoices (${what})  ${who.padEnd(5)} ${pass.padEnd(12)} ${it.seconds.toFixed(2).padStart(7)} s  ${Math.round(it.records / it.seconds)} records/s  ${it.calls} calls  peak ${figures.peak_mb} MB`,
        )
    }
  }
  child.kill('SIGTERM')
}
interface PullFigures {
  peak_mb: number
  first: { seconds: number; records: number; calls: number }
  full_again?: PullFigures['first']
  incremental?: PullFigures['first']
}

interface PageFigures {
  first_paint_ms: number
  loaded_ms: number
  layout_shift: number
  script_bytes: number
  requests: number
}
if (asked('page'))
  results.page = JSON.parse((await run(process.execPath, ['bench/page.ts', await freshDatabase('page')])).stdout) as Record<
    string,
    PageFigures
  >
for (const [what, figures] of Object.entries(results.page))
  console.log(
    `page ${what.padEnd(15)} first paint ${Math.round(figures.first_paint_ms)} ms  loaded ${Math.round(figures.loaded_ms)} ms  layout shift ${figures.layout_shift.toFixed(3)}  scripts ${Math.round(figures.script_bytes / 1000)} KB  ${figures.requests} requests`,
  )
if (asked('edges')) {
  const { stdout } = await run(process.execPath, ['bench/edges.ts', await freshDatabase('edge_list'), await freshDatabase('edge_pull')])
  results.edges = JSON.parse(stdout)
  for (const [what, figure] of Object.entries(results.edges as Record<string, unknown>))
    console.log(`${what.padEnd(26)} ${JSON.stringify(figure)}`)
}
await mkdir('bench/results', { recursive: true })
await writeFile(`bench/results/${new Date().toISOString().replaceAll(':', '-')}.json`, JSON.stringify({ ...results, pulls }, null, 2))
await server[Symbol.asyncDispose]()
await rm(dataDir, { recursive: true, force: true })
