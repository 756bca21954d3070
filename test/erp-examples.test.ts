import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeAll, expect, onTestFinished } from 'vitest'
import type { ProductsResponse } from '../src/schemas/products.ts'
import { longTest } from './helpers/long.ts'
import { startServerProcess } from './helpers/server-process.ts'
import { waitFor } from './helpers/wait-for.ts'
import { openZinc, type TestZinc } from './helpers/zinc.ts'

const ROUNDS = 2
const hasPython = spawnSync('python3', ['--version']).status === 0
const PROGRAMS: [name: string, command: string][] = [
  ['keep-products.ts', process.execPath],
  ...(hasPython ? [['keep_products.py', 'python3'] as [string, string]] : []),
]

let zinc: TestZinc
let key: string
let guide: string
beforeAll(async () => {
  const opened = await openZinc({ synced: true })
  zinc = opened
  guide = await readFile('docs/erp.md', 'utf8')
  const response = await zinc.call('/api/v1/api-keys', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'example', scopes: ['products:read'] }),
  })
  key = ((await response.json()) as { data: { key: string } }).data.key
  return opened.end
})

/** The program of the guide whose first line names this file. */
function programOf(name: string): string {
  const code = [...guide.matchAll(/```\w+\n(.*?)```/gs)].map((match) => match[1]!).find((it) => it.split('\n', 1)[0]!.endsWith(name))
  if (code === undefined) throw new Error(`the guide has no ${name}`)
  return code
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  const { port } = server.address() as { port: number }
  await new Promise((done) => server.close(done))
  return port
}

type Row = { id: string; sku: string | null; name: string; selling_price: string | null; stock: string | null }
const sorted = (rows: Row[]) => JSON.stringify(rows.sort((a, b) => (a.id < b.id ? -1 : 1)))

async function wanted(): Promise<string> {
  const { data } = (await (await zinc.call('/api/products?limit=500')).json()) as ProductsResponse
  return sorted(data.map(({ id, sku, name, selling_price, stock }) => ({ id, sku, name, selling_price, stock: stock.on_hand })))
}
function found(path: string): string {
  try {
    const table = new DatabaseSync(path, { readOnly: true })
    const rows = table.prepare('select id, sku, name, selling_price, stock from product').all() as unknown as Row[]
    table.close()
    return sorted(rows.map((row) => ({ ...row })))
  } catch {
    // Not there yet, or being written.
    return ''
  }
}

longTest('the programs of the guide keep their tables equal to zinc through kills of them and of zinc', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'zinc-example-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  await mkdir(join(folder, 'node_modules'))
  await symlink(resolve('.'), join(folder, 'node_modules', 'zinc'))
  const port = String(await freePort())
  const serve = () => startServerProcess({ ...zinc.environment, PORT: port })
  let server = await serve()
  const tableOf = (name: string) => join(folder, `${name}.db`)
  const running = new Map<string, ChildProcess>()
  onTestFinished(() => {
    for (const child of running.values()) child.kill('SIGKILL')
  })
  const kill = async (child: ChildProcess) => {
    const ended = new Promise((done) => child.once('exit', done))
    child.kill('SIGKILL')
    await ended
  }
  async function start([name, command]: [string, string]): Promise<void> {
    await writeFile(join(folder, name), programOf(name))
    const env = { ...process.env, ZINC_URL: server.url, ZINC_TOKEN: key, TABLE: tableOf(name) }
    running.set(name, spawn(command, [name], { cwd: folder, env, stdio: ['ignore', 'inherit', 'inherit'] }))
  }
  const areEqual = async () => {
    const expected = await wanted()
    await waitFor(async () => PROGRAMS.every(([name]) => found(tableOf(name)) === expected))
  }
  const { db } = zinc.services
  const gone = await db.product.create({ data: { name: 'Gone while nobody was told', sku: 'GONE' } })
  await Promise.all(PROGRAMS.map(start))
  for (let round = 0; round < ROUNDS; round++) {
    const products = await db.product.findMany({ where: { id: { not: gone.id } }, orderBy: { id: 'asc' }, select: { id: true } })
    for (const [n, { id }] of products.entries()) {
      await db.product.update({
        where: { id },
        data: { selling_price: `${round}.${10 + n}`, deleted_at: n % 7 === round ? new Date() : null },
      })
      if (n === 10 + round) await Promise.all([...running.values()].map(kill))
    }
    await Promise.all(PROGRAMS.map(start))
    if (round === 0) {
      await kill(server.child)
      server = await serve()
    }
    await areEqual()
    // As after a restore: everything is read again, and what is gone meanwhile is not told.
    if (round === 0) {
      await db.product.delete({ where: { id: gone.id } })
      await db.$executeRaw`delete from product_change where product_id = ${gone.id}::uuid`
      await db.$executeRaw`update feed_state set epoch = gen_random_uuid()`
    }
  }
  await Promise.all([...running.values()].map(kill))
  await kill(server.child)
  for (const [name] of PROGRAMS) expect(found(tableOf(name))).toBe(await wanted())
})
if (!hasPython) console.warn('python3 is not installed: the Python program of the guide is not tested')
