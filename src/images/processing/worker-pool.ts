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
  /** A temporary path that the child process writes to. */
  output: string
}

export interface WorkerRequest {
  path: string
  variants: VariantJob[]
  /**
   * Path for an image that is stored in another format (a BMP as PNG); left out: it is not written.
   */
  convertedTo?: string
  /**
   * Longest side of the pixels that all variants are made from; left out: that of the largest
   * requested variant.
   */
  through?: number
  maxPixels: number
  maxSide: number
  /**
   * Accepts an image whose end is missing or that does not decode cleanly, because Zoho sent the
   * same bytes twice.
   */
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
  /** Some pixel is transparent. */
  transparent: boolean
  /**
   * Hashes of the file at `convertedTo`, when the image is stored in another format (a BMP as PNG).
   */
  converted?: { sha256: string; md5: string }
}

export interface Decoded {
  image: ImageInfo
  variants: MadeVariant[]
}
export type WorkerResponse = ({ ok: true } & Decoded) | { ok: false; refused: Message }

export interface WorkerPool extends AsyncDisposable {
  /**
   * Checks the file at `path` and makes its variants. Throws InvalidImageError or
   * UnsupportedMediaTypeError with the contract's codes, and immediately ServiceUnavailableError
   * `overloaded` when more than `maxWaiting` others wait already.
   */
  decode(job: WorkerRequest, signal: AbortSignal, options?: { maxWaiting?: number }): Promise<Decoded>
  /** Images being decoded and images waiting for a child process. */
  load(): { active: number; waiting: number; limit: number }
}

export interface WorkerPoolOptions {
  /**
   * Most child processes. One more than the cores: while one waits for the disk or the parent, the
   * others use them.
   */
  size?: number
  /** sharp's own time limit is soft: past this the child process is killed. */
  wallClockMs?: number
  /** A child process that grows beyond this exits. */
  maxRssBytes?: number
}

const IDLE_MS = 30_000
/**
 * A child process may be killed for what another program did to the machine; an image that kills
 * two of them is itself the cause.
 */
const TRIES = 2
/** A .ts file when zinc runs from source, a .js file in the build. */
const CHILD = join(import.meta.dirname, `worker${extname(import.meta.filename)}`)

/**
 * Child processes that decode, started on demand and ended when idle; their environment contains
 * none of zinc's secrets.
 */
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
    child.on('error', () => {}) // a message to a child process that just died; its exit is handled
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
        // Remove it from the idle ones first: a job must not go to a child process that is exiting.
        const at = idle.indexOf(child)
        if (at >= 0) idle.splice(at, 1)
        child.disconnect()
      }, IDLE_MS).unref(),
    )
  }

  /** Null when the child process died during the job. */
  function once(job: WorkerRequest, signal: AbortSignal): Promise<WorkerResponse | null> {
    return new Promise((resolve, reject) => {
      const child = take()
      child.channel?.ref()
      const kill = () => {
        // A late response is ignored: the child process that sent it is about to exit and must not
        // get the next image.
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
          child.ref() // idle child processes are unreferenced, but their exit is awaited
          const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
          child.kill('SIGKILL')
          return gone
        }),
      )
    },
  }
}
