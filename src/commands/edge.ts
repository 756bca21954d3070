import { setTimeout as pause } from 'node:timers/promises'
import { Presets, SingleBar } from 'cli-progress'
import { type Command, InvalidArgumentError } from 'commander'
import { PhotoVariant } from '../contract/photo-sync.ts'
import { checkServer } from '../edge/check.ts'
import { FolderInUse } from '../edge/folder-lock.ts'
import { LineFailure, Refused } from '../edge/line.ts'
import { type PullProgress, type PullResult, pull } from '../edge/pull.ts'
import { AppError, BadInput, Unavailable } from '../errors.ts'
import type { Action, ExitStatus, Tools } from './tools.ts'

/** Off a terminal a line is said at most this often. */
const LINE_EVERY_MS = 5_000

const serverAddress = (text: string): string => {
  if (!/^https?:\/\/[^\s/]+/.test(text) || !URL.canParse(text)) throw new InvalidArgumentError('must be an http or https address')
  return text
}
const variantName = (text: string): PhotoVariant => {
  const read = PhotoVariant.safeParse(text)
  if (!read.success) throw new InvalidArgumentError('must be thumb, medium or original')
  return read.data
}
const positive = (text: string): number => {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('must be a number above 0')
  return value
}

const days = (text: string): number => {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 36_500)) throw new InvalidArgumentError('must be a number of days')
  return value
}

interface PullCall {
  server: string
  store: string
  token?: string
  dir: string
  variant?: PhotoVariant
  watch?: number
  verify?: boolean
}

export function addEdge(program: Command, action: Action): void {
  const edge = program.command('edge').description('the edge server of a store: pull its pictures, try a server')
  edge
    .command('pull')
    .description("make a folder hold exactly the store's pictures; goes on wherever it was stopped")
    .requiredOption('--server <url>', 'the address of zinc', serverAddress)
    .requiredOption('--store <id>', 'the id of the store')
    .option('--token <token>', 'the token of its edge server; ZINC_EDGE_TOKEN keeps it out of the shell history')
    .requiredOption('--dir <dir>', 'the folder')
    .option('--variant <variant>', 'thumb, medium or original instead of what the store gets by default', variantName)
    .option('--watch <seconds>', 'pull again and again', positive)
    .option('--verify', 'read every file instead of only looking at it')
    .action(
      action(async (tools, { token = process.env.ZINC_EDGE_TOKEN, ...call }: PullCall) => {
        // Whoever lists the processes of this machine must not read the token.
        process.title = 'zinc edge pull'
        if (!token) throw new BadInput('no_token', 'edge pull needs --token, or ZINC_EDGE_TOKEN in the environment')
        return pullOnce({ ...call, token }, tools)
      }),
    )
  edge
    .command('check')
    .description('try list, download, MD5, report and incremental list against a server')
    .requiredOption('--server <url>', 'the address of zinc', serverAddress)
    .requiredOption('--store <id>', 'the id of the store')
    .option('--username <name>', 'a user of zinc; the password comes from ZINC_PASSWORD, or is asked for')
    .option('--token <token>', 'the token of an edge server instead')
    .action(
      action(async (tools, { server, store, username, token }: { server: string; store: string; username?: string; token?: string }) => {
        process.title = 'zinc edge check'
        if (!username && !token) throw new BadInput('no_login', 'edge check needs --username, or --token')
        const access = token ? { token } : { username: username ?? '', password: await passwordOf(username ?? '', tools.signal) }
        const checks = await checkServer({ server, storeId: store, access, signal: tools.signal })
        const ok = checks.every((check) => check.ok)
        const lines = checks.map(
          ({ ok, name, ms, message }) => `${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(11)} ${String(ms).padStart(5)} ms  ${message}`,
        )
        tools.answer({ status: ok ? 'success' : 'failed', ok, checks }, lines.join('\n'))
        return ok ? 0 : 1
      }),
    )
  edge
    .command('prune')
    .description('forget deletions that every store had time to read; a store that did not lists everything again')
    .option('--older-than <days>', 'TOMBSTONE_DAYS when left out', days)
    .action(
      action(async (tools, { olderThan }: { olderThan?: number }) => {
        const { db } = await tools.services({ mustExist: true })
        const { pruneFeed } = await import('../feed/prune.ts')
        const pruned = await pruneFeed(db, { olderThanDays: olderThan ?? tools.config.edges.tombstoneDays })
        tools.answer(
          { status: 'success', ...pruned },
          `${pruned.photos} deleted photos and ${pruned.events} moves in assortments are forgotten.`,
        )
        return undefined
      }),
    )
}

/** From ZINC_PASSWORD, else asked for. Never an argument: those stand in the process list. Throws BadInput `no_password` where nobody can be asked. */
async function passwordOf(username: string, signal: AbortSignal): Promise<string> {
  const given = process.env.ZINC_PASSWORD
  if (given) return given
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new BadInput('no_password', `The password of ${username} is needed`, { remedy: 'Put it into ZINC_PASSWORD, or use --token.' })
  const { password } = await import('@inquirer/prompts')
  return password({ message: `Password of ${username}` }, { signal, output: process.stderr })
}

async function pullOnce({ watch, ...call }: PullCall & { token: string }, tools: Tools): Promise<ExitStatus> {
  for (;;) {
    const status = await onePull(call, tools).catch((error: unknown) => {
      // To stop is how a watch ends, whatever it was doing.
      if (watch !== undefined && tools.signal.aborted) return 0 as const
      // A watch outlives a server that is away for hours and a store that is paused; it does not outlive a token that is refused.
      if (watch === undefined || !(error instanceof Unavailable)) throw error
      tools.say(`${error.message}; will try again in ${watch} s`)
      return 1 as const
    })
    if (watch === undefined) return status
    if (tools.signal.aborted) return 0
    await pause(watch * 1000, undefined, { signal: tools.signal }).catch(() => {})
    if (tools.signal.aborted) return 0
  }
}

async function onePull(
  { server, store, token, dir, variant, verify = false }: PullCall & { token: string },
  tools: Tools,
): Promise<ExitStatus> {
  const show = createDisplay(tools)
  let result: PullResult
  try {
    result = await pull({
      server,
      storeId: store,
      token,
      dir,
      variant: variant ?? null,
      verify,
      signal: tools.signal,
      onProgress: show.progress,
    })
  } catch (error) {
    throw inWords(error)
  } finally {
    show.stop()
  }
  const { fetched, removed, unchanged, failed, bytes, cuts } = result
  for (const { photo_id, error } of failed.slice(0, 20)) tools.say(`failed: ${photo_id}: ${error}`)
  tools.answer(
    { status: failed.length > 0 ? 'partial' : 'success', ...result },
    `${fetched} pulled (${megabytes(bytes)}), ${removed} removed, ${unchanged} as they were, ${failed.length} failed${cuts > 0 ? `, ${cuts} cuts of the line` : ''}`,
  )
  return failed.length > 0 ? 1 : 0
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

function inWords(error: unknown): unknown {
  // A pause ends by itself some day: whoever watches goes on then.
  if (error instanceof Refused && error.code === 'store_paused')
    return new Unavailable(error.code, error.message, { cause: error, remedy: error.remedy })
  if (error instanceof Refused)
    return new BadRequest(error.code, error.message, {
      cause: error,
      remedy: error.status === 401 ? 'Make a new token at the server: zinc token issue --store ID --name N' : error.remedy,
    })
  if (error instanceof LineFailure)
    return new Unavailable('line_down', error.message, { cause: error, remedy: 'What is here stays; the next pull goes on from it.' })
  if (error instanceof FolderInUse) return new BadRequest('folder_in_use', error.message, { cause: error })
  return error
}
class BadRequest extends AppError {}

function createDisplay({ terminal, say }: Pick<Tools, 'terminal' | 'say'>) {
  const bar = terminal
    ? new SingleBar({ format: 'pull {bar} {value}/{total}  {size}  {rate}  {cuts}', hideCursor: true }, Presets.shades_classic)
    : null
  const began = performance.now()
  let started = false
  let said = performance.now()
  return {
    progress({ phase, done, total, bytes, bytesTotal, cuts }: PullProgress): void {
      if (phase === 'check' || total === 0) return
      const size = `${megabytes(bytes)} of ${megabytes(bytesTotal)}`
      const rate = `${megabytes((bytes * 1000) / Math.max(1, performance.now() - began))}/s`
      const cut = cuts > 0 ? `${cuts} cuts` : ''
      if (bar) {
        if (!started) bar.start(total, done, { size, rate, cuts: cut })
        started = true
        bar.setTotal(total)
        bar.update(done, { size, rate, cuts: cut })
      } else if (performance.now() - said > LINE_EVERY_MS) {
        said = performance.now()
        say(`pull ${done}/${total}  ${size}  ${rate}  ${cut}`.trimEnd())
      }
    },
    stop: () => bar?.stop(),
  }
}
