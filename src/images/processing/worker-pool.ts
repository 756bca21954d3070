import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { extname, join } from 'node:path'
import pLimit from 'p-limit'
import { InvalidImageError, ServiceUnavailableError, UnsupportedMediaTypeError } from '../../lib/errors.ts'
import type { Message } from '../../messages/message.ts'
import { inEnglish, message } from '../../messages/say.ts'
import type { EncodedFormat } from './variant-settings.ts'

export interface VariantJob {
  name: string
  /** Longest side in pixels. */
  side: number
  format: EncodedFormat
  quality: number
  effort: number
  /** A temporary path that the child writes to. */
  output: string
}

export interface WorkerRequest {
  path: string
  variants: VariantJob[]
  /** Where a picture that is stored in another format (a BMP as PNG) is written; left out: it is not written. */
  convertedTo?: string
  /** Longest side of the pixels that all variants are made from; left out: of the largest one asked for. */
  through?: number
  maxPixels: number
  maxSide: number
  /** Takes a picture whose end is missing or that does not decode cleanly, when Zoho sent the same bytes twice. */
  acceptDamaged: boolean
}

export interface MadeVariant {
  name: string
  format: EncodedFormat
  width: number
  height: number
  size: number
  sha256: string
  md5: string
}

export interface ImageInfo {
  ext: string
  content_type: string
  width: number
  height: number
  frames: number
  size: number
  damaged: boolean
  /** Some pixel lets the ground through. */
  transparent: boolean
  /** The picture is stored as the file at `convertedTo` (a BMP as PNG), which has these hashes. */
  converted?: { sha256: string; md5: string }
}

export interface Decoded {
  image: ImageInfo
  variants: MadeVariant[]
}
export type WorkerResponse = ({ ok: true } & Decoded) | { ok: false; refused: Message }

export interface WorkerPool extends AsyncDisposable {
  /**
   * Judges the file at `path` and makes its variants. Throws InvalidImageError or UnsupportedMediaTypeError with the contract's codes,
   * and ServiceUnavailableError `overloaded` at once when more than `maxWaiting` others wait already.
   */
  decode(job: WorkerRequest, signal: AbortSignal, options?: { maxWaiting?: number }): Promise<Decoded>
  /** Pictures in the children and waiting for one. */
  load(): { active: number; waiting: number; limit: number }
}

export interface WorkerPoolOptions {
  /** Children at most. One more than the cores: while one waits for the disk or for us, the others fill them. */
  size?: number
  /** sharp's own time limit is soft: past this the child is killed. */
  wallClockMs?: number
  /** A child that grows beyond this ends itself. */
  maxRssBytes?: number
}

const IDLE_MS = 30_000
/** A child may be killed for what another program did to the machine; a picture that kills two of them is to blame itself. */
const TRIES = 2
/** A .ts file when zinc runs from source, a .js file in the build. */
const CHILD = join(import.meta.dirname, `worker${extname(import.meta.filename)}`)

/** Child processes that decode, started when needed and ended when idle; none of zinc's secrets are in their environment. */
export function createWorkerPool({
  size = availableParallelism() + 1,
  wallClockMs = 20_000,
  maxRssBytes = 640 * 1024 * 1024,
}: WorkerPoolOptions = {}): WorkerPool {
  const idle: ChildProcess[] = []
  const all = new Set<ChildProcess>()
  const limit = pLimit(size)
  const timers = new Map<ChildProcess, NodeJS.Timeout>()

  function take(): ChildProcess {
    const child = idle.pop() ?? start()
    clearTimeout(timers.get(child))
    return child
  }
  function start(): ChildProcess {
    const child = fork(CHILD, {
      env: { PATH: process.env.PATH ?? '', VIPS_CONCURRENCY: '1', MAX_RSS_BYTES: String(maxRssBytes) },
      execArgv: ['--max-old-space-size=256'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    all.add(child)
    child.unref()
    child.channel?.unref()
    child.on('error', () => {}) // a message to a child that has just died; its exit is what counts
    child.once('exit', () => {
      all.delete(child)
      clearTimeout(timers.get(child))
      timers.delete(child)
      const at = idle.indexOf(child)
      if (at >= 0) idle.splice(at, 1)
    })
    return child
  }
  function giveBack(child: ChildProcess): void {
    idle.push(child)
    timers.set(
      child,
      setTimeout(() => {
        // Out of the idle ones first: a job must not be given to a child that is on its way out.
        const at = idle.indexOf(child)
        if (at >= 0) idle.splice(at, 1)
        child.disconnect()
      }, IDLE_MS).unref(),
    )
  }

  /** Null when the child died over it. */
  function once(job: WorkerRequest, signal: AbortSignal): Promise<WorkerResponse | null> {
    return new Promise((resolve, reject) => {
      const child = take()
      child.channel?.ref()
      const kill = () => {
        // An answer that comes all the same is not taken: the child that sent it is about to die, and must not get the next picture.
        child.removeListener('message', onMessage)
        child.kill('SIGKILL')
      }
      const timer = setTimeout(kill, wallClockMs)
      signal.addEventListener('abort', kill, { once: true })
      const finish = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', kill)
        child.removeListener('message', onMessage)
        child.removeListener('exit', onExit)
        child.channel?.unref()
      }
      const onMessage = (result: unknown) => {
        finish()
        giveBack(child)
        resolve(result as WorkerResponse)
      }
      const onExit = () => {
        finish()
        if (signal.aborted) reject(signal.reason)
        else resolve(null)
      }
      child.once('message', onMessage)
      child.once('exit', onExit)
      child.send(job)
    })
  }

  async function attempt(job: WorkerRequest, signal: AbortSignal): Promise<WorkerResponse> {
    for (let tries = 0; tries < TRIES; tries++) {
      signal.throwIfAborted()
      const result = await once(job, signal)
      if (result) return result
    }
    return { ok: false, refused: message('decoder_crash') }
  }

  return {
    load: () => ({ active: limit.activeCount, waiting: limit.pendingCount, limit: size }),
    async decode(job, signal, { maxWaiting = Number.POSITIVE_INFINITY } = {}) {
      signal.throwIfAborted()
      if (limit.pendingCount >= maxWaiting) {
        throw new ServiceUnavailableError('overloaded.images', {}, { retryAfterMs: 2_000 })
      }
      const result = await limit(() => attempt(job, signal))
      if (result.ok) return result
      const said = inEnglish(result.refused)
      throw said.code === 'unsupported_format' ? new UnsupportedMediaTypeError(said) : new InvalidImageError(said)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(
        [...all].map((child) => {
          clearTimeout(timers.get(child))
          child.ref() // idle children do not hold the process open, but their end is waited for
          const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
          child.kill('SIGKILL')
          return gone
        }),
      )
    },
  }
}
