import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { BadImage, UnsupportedType } from '../errors.ts'

export interface VariantJob {
  name: string
  side: number
  format: 'webp' | 'jpeg' | 'avif'
  quality: number
  effort: number
  /** A temporary path that the child writes to. */
  output: string
}

export interface DecodeJob {
  path: string
  /** Largest first; each is made from the one before. */
  variants: VariantJob[]
  maxPixels: number
  maxSide: number
  /** Takes a picture whose end is missing, when Zoho sent the same bytes twice. */
  acceptDamaged: boolean
}

export interface MadeVariant {
  name: string
  format: 'webp' | 'jpeg' | 'avif'
  width: number
  height: number
  size: number
  sha256: string
  md5: string
}

export interface JudgedPicture {
  ext: string
  content_type: string
  width: number
  height: number
  frames: number
  size: number
  damaged: boolean
  sha256: string
  md5: string
}

export type DecodeAnswer = { ok: true; picture: JudgedPicture; variants: MadeVariant[] } | { ok: false; code: string; message: string }

export interface Decoder extends AsyncDisposable {
  /** Judges the file at `path` and makes its variants. Throws BadImage or UnsupportedType with the contract's codes. */
  decode(job: DecodeJob, signal: AbortSignal): Promise<{ picture: JudgedPicture; variants: MadeVariant[] }>
}

/** sharp's own time limit is soft: past this the child is killed. */
const WALL_CLOCK_MS = 20_000
const IDLE_MS = 30_000
const CHILD = join(import.meta.dirname, 'decoder-child.ts')

/** Child processes that decode, one for each core, started when needed and ended when idle; none of zinc's secrets are in their environment. */
export function createDecoder({ size = availableParallelism() }: { size?: number } = {}): Decoder {
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
    // Old-space only bounds JavaScript; the limits on pixels bound what libvips takes.
    const child = fork(CHILD, {
      env: { PATH: process.env.PATH ?? '', VIPS_CONCURRENCY: '1' },
      execArgv: ['--max-old-space-size=256'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    })
    all.add(child)
    child.unref()
    child.channel?.unref()
    child.once('exit', () => {
      all.delete(child)
      const at = idle.indexOf(child)
      if (at >= 0) idle.splice(at, 1)
    })
    return child
  }
  function giveBack(child: ChildProcess): void {
    idle.push(child)
    timers.set(child, setTimeout(() => child.disconnect(), IDLE_MS).unref())
  }

  function once(job: DecodeJob, signal: AbortSignal): Promise<DecodeAnswer> {
    return new Promise((resolve, reject) => {
      const child = take()
      child.channel?.ref()
      const timer = setTimeout(() => child.kill('SIGKILL'), WALL_CLOCK_MS)
      const onAbort = () => child.kill('SIGKILL')
      const finish = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        child.removeAllListeners('message')
        child.channel?.unref()
      }
      signal.addEventListener('abort', onAbort, { once: true })
      child.once('message', (answer) => {
        child.removeListener('exit', onExit)
        finish()
        giveBack(child)
        resolve(answer as DecodeAnswer)
      })
      const onExit = () => {
        finish()
        if (signal.aborted) reject(signal.reason)
        else resolve({ ok: false, code: 'decoder_crash', message: 'The picture cannot be decoded within the limits' })
      }
      child.once('exit', onExit)
      child.send(job)
    })
  }

  return {
    async decode(job, signal) {
      signal.throwIfAborted()
      const answer = await limit(() => (signal.aborted ? Promise.reject(signal.reason) : once(job, signal)))
      if (answer.ok) return answer
      if (answer.code === 'unsupported_format')
        throw new UnsupportedType(answer.code, answer.message, { remedy: 'Save it as JPEG or PNG and send that.' })
      throw new BadImage(answer.code, answer.message, { remedy: 'Open the picture, save it again as JPEG or PNG, and send that.' })
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
