/**
 * Loaded with `--import` into a real server process, ahead of it: counts the steps in which a
 * picture is written, on disk and in the database, and can
 * kill the process at one, make a call fail, or tell the order. Steered by FAULT and over IPC; see
 * server-process.ts. The server itself knows nothing of it.
 */
import { promises as fs } from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { sep } from 'node:path'

export interface Fault {
  /** `fsync` means each, `fsync originals` only those of that folder. */
  step: string
  /** At which of them, counted from the arming; 1 is the next. */
  nth: number
  /** The call fails with this, e.g. EIO; without it the process is killed. */
  error?: string
  when?: 'before' | 'middle' | 'after'
}

/**
 * One step that has begun or ended; `id` joins the two, and the steps of one open file or of one
 * connection.
 */
export interface StepEvent {
  step: string
  ended: boolean
  id: number
  /** Of the file; for a rename where it went. */
  path?: string
  from?: string
  /** In the parameters of a statement. */
  hashes?: string[]
}

/**
 * A run that is taken up at the start begins before a message comes, so the first fault may come
 * with the environment.
 */
let fault: Fault | null = process.env.FAULT ? (JSON.parse(process.env.FAULT) as Fault) : null
let seen = 0
let last = 0
const events: StepEvent[] = []

process.on('message', (message: { arm?: Fault | null; tell?: true }) => {
  if ('arm' in message) {
    fault = message.arm ?? null
    seen = 0
    events.length = 0
    process.send?.({ armed: true })
  }
  if (message.tell) process.send?.({ events, hit: fault !== null && seen >= fault.nth })
})

const die = () => process.kill(process.pid, 'SIGKILL')

/** Whether the armed fault is at this step. */
function isHit(step: string): boolean {
  if (!fault || !(step === fault.step || step.startsWith(`${fault.step} `))) return false
  return ++seen === fault.nth
}

async function through<T>(event: Omit<StepEvent, 'ended' | 'id'> & { id?: number }, call: () => Promise<T>, half?: () => Promise<unknown>) {
  const noted = { ...event, id: event.id ?? ++last }
  events.push({ ...noted, ended: false })
  const hit = isHit(event.step)
  if (hit && fault?.error) throw Object.assign(new Error(`${fault.error}: made to fail, ${event.step}`), { code: fault.error })
  if (hit && fault?.when === 'before') die()
  if (hit && fault?.when === 'middle') {
    await half?.()
    die()
  }
  const result = await call()
  events.push({ ...noted, ended: true })
  if (hit) die()
  return result
}

/**
 * `tmp`, `originals`, `variants` or `item` for what lies in the folder of the pictures; null
 * elsewhere.
 */
const folderOf = (path: unknown): string | null => String(path).split(`${sep}images${sep}`)[1]?.split(sep)[0] ?? null

interface Handle {
  sync(): Promise<void>
  writeFile(bytes: Buffer): Promise<void>
}
const handles = new WeakMap<object, { id: number; path: string; folder: string }>()
const { link, open, rename } = fs

fs.open = async (...args: Parameters<typeof open>) => {
  const folder = folderOf(args[0])
  if (folder === null) return open(...args)
  const id = ++last
  const path = String(args[0])
  const handle = await through({ step: `open ${folder}`, id, path }, () => open(...args))
  handles.set(handle, { id, path, folder })
  return handle
}
fs.rename = (from, to) => {
  const folder = folderOf(to)
  if (folder === null) return rename(from, to)
  return through({ step: `rename ${folder}`, path: String(to), from: String(from) }, () => rename(from, to))
}

// An original gets its name by a link, so that of two equal ones the first stays.
fs.link = (from, to) => {
  if (folderOf(to) !== 'originals') return link(from, to)
  return through({ step: 'rename originals', path: String(to), from: String(from) }, () => link(from, to))
}

const probe = await open(process.execPath)
const prototype = Object.getPrototypeOf(probe) as Handle
await probe.close()
const { sync, writeFile } = prototype
prototype.sync = function () {
  const file = handles.get(this)
  return file ? through({ ...file, step: `fsync ${file.folder}` }, () => sync.call(this)) : sync.call(this)
}
prototype.writeFile = function (bytes) {
  const file = handles.get(this)
  if (!file) return writeFile.call(this, bytes)
  const half = () => writeFile.call(this, bytes.subarray(0, bytes.length / 2))
  return through({ ...file, step: `write ${file.folder}` }, () => writeFile.call(this, bytes), half)
}
syncBuiltinESMExports()

type Query = (this: object, ...args: unknown[]) => unknown
const { Client } = createRequire(import.meta.url)('pg') as { Client: { prototype: { query: Query } } }
const { query } = Client.prototype
/** Connections whose open transaction has written a photo, with its hashes. */
const writing = new WeakMap<object, string[]>()

/** What a statement is of the writing of a picture; null: nothing of it. */
function stepOf(connection: object, text: string): string | null {
  if (text.includes('insert into blob')) return 'insert blob'
  if (/^(INSERT INTO|UPDATE) "public"\."photo"/.test(text)) return 'write photo'
  if (writing.has(connection) && /^UPDATE "public"\."product"/.test(text)) return 'complete'
  return writing.has(connection) && text === 'COMMIT' ? 'commit' : null
}

Client.prototype.query = function (...args) {
  const [config] = args
  const text = typeof config === 'string' ? config : String((config as { text?: string } | undefined)?.text)
  const step = stepOf(this, text)
  if (text === 'ROLLBACK') writing.delete(this)
  if (step === null) return query.apply(this, args)
  const values = typeof config === 'string' ? args[1] : (config as { values?: unknown[] }).values
  const hashes =
    step === 'commit' ? (writing.get(this) ?? []) : (JSON.stringify(values).match(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g) ?? [])
  if (step === 'write photo') writing.set(this, hashes)
  if (step === 'commit') writing.delete(this)
  const done = args.at(-1)
  const ask = () =>
    new Promise((resolve, reject) => {
      const rest = typeof done === 'function' ? args.slice(0, -1) : args
      query.call(this, ...rest, (error: Error | null, result: unknown) => (error ? reject(error) : resolve(result)))
    })
  const response = through({ step, hashes }, ask)
  if (typeof done !== 'function') return response
  response.then(
    (result) => done(null, result),
    (error) => done(error),
  )
}
