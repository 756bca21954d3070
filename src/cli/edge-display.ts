import { Presets, SingleBar } from 'cli-progress'
import type { FailedTry } from '../edge-client/http.ts'
import type { PullProgress } from '../edge-client/pull.ts'
import type { EdgeContext } from './edge.ts'

/** Without a terminal a line is printed at most this often. */
const LINE_EVERY_MS = 5_000

const seconds = (ms: number) => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
export const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

/** Shows a pull: a bar on a terminal, otherwise a line from time to time. */
export function createDisplay({ terminal, say }: Pick<EdgeContext, 'terminal' | 'say'>) {
  const bar = terminal
    ? new SingleBar({ format: 'pull {bar} {value}/{total}  {size}  {rate}  {cuts}', hideCursor: true }, Presets.shades_classic)
    : null
  const began = performance.now()
  let started = false
  let said = performance.now()
  /** Streams that wait for the same reason report it once. */
  let waiting = { message: '', until: 0 }
  function line(text: string): void {
    // The bar has no line of its own on the terminal.
    say(bar && started ? `\r\u001b[K${text}` : text)
  }
  return {
    progress({ phase, done, total, bytes, bytesTotal, cuts }: PullProgress): void {
      if (phase === 'check' || total === 0) return
      const size = `${megabytes(bytes)} of ${megabytes(bytesTotal)}`
      const rate = `${megabytes((bytes * 1000) / Math.max(1, performance.now() - began))}/s`
      const cut = cuts > 0 ? `${cuts} drops` : ''
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
    line,
    failedTry({ message, waitMs, emptyTries }: FailedTry): void {
      const now = performance.now()
      // An interruption after which images arrived is only counted; one without any bytes is
      // reported each time.
      if (message === waiting.message && (now < waiting.until || emptyTries === 0)) return
      waiting = { message, until: now + (emptyTries === 0 ? LINE_EVERY_MS : waitMs) }
      line(`${message}; retrying in ${seconds(waitMs)}`)
    },
    stop: () => bar?.stop(),
  }
}
