import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import type { ProductsResponse } from '../src/schemas/products.ts'
import { startServerProcess } from './helpers/server-process.ts'
import { waitFor } from './helpers/wait-for.ts'
import { openZinc, type TestZinc } from './helpers/zinc.ts'

const ROUNDS = 4
const hasPython = spawnSync('python3', ['--version']).status === 0

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

/** Kills the program of the guide, and its server, while products change; the table must end up equal. */
async function survives(name: string, command: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'zinc-example-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, name), programOf(name))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  await mkdir(join(folder, 'node_modules'))
  await symlink(resolve('.'), join(folder, 'node_modules', 'zinc'))
  const port = String(await freePort())
  const serve = () => startServerProcess({ ...zinc.environment, PORT: port })
  let server = await serve()
  const path = join(folder, 'products.db')
  const run = (): ChildProcess =>
    spawn(command, [name], {
      cwd: folder,
      env: { ...process.env, ZINC_URL: server.url, ZINC_TOKEN: key, TABLE: path },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
  const kill = async (child: ChildProcess) => {
    const ended = new Promise((done) => child.once('exit', done))
    child.kill('SIGKILL')
    await ended
  }
  let program = run()
  onTestFinished(() => void program.kill('SIGKILL'))
  const { db } = zinc.services
  for (let round = 0; round < ROUNDS; round++) {
    const products = await db.product.findMany({ orderBy: { id: 'asc' }, select: { id: true } })
    for (const [n, { id }] of products.entries()) {
      const gone = n % 7 === round
      await db.product.update({ where: { id }, data: { selling_price: `${round}.${10 + n}`, deleted_at: gone ? new Date() : null } })
      if (n === 10 + round) await kill(program)
    }
    if (round === 1) {
      await kill(server.child)
      server = await serve()
    }
    // Another database: everything is read again, and what is gone meanwhile is not told.
    if (round === 2) {
      await db.$executeRaw`update feed_state set epoch = gen_random_uuid()`
      await db.product.delete({ where: { id: products[0]!.id } })
    }
    program = run()
    if (round === 1) {
      await kill(server.child)
      server = await serve()
    }
    const expected = await wanted()
    await waitFor(async () => found(path) === expected)
  }
  await kill(program)
  await kill(server.child)
  expect(found(path)).toBe(await wanted())
}

test('the TypeScript program of the guide keeps a table equal to zinc through kills of both', async () => {
  await survives('keep-products.ts', process.execPath)
})

test.runIf(hasPython)('the Python program of the guide keeps a table equal to zinc through kills of both', async () => {
  await survives('keep_products.py', 'python3')
})
if (!hasPython) console.warn('python3 is not installed: the Python program of the guide is not tested')
