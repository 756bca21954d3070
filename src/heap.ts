import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const MIB = 1024 * 1024
/** Making the heap small again costs a few hundred milliseconds, so not more often than this. */
const SHRINK_EVERY_MS = 10_000

export interface HeapLimits {
  /** Beyond so much in use, garbage is collected. */
  usedBytes: number
  /** Beyond so much of the whole process, the heap is also made small again. */
  processBytes: number
}

function collector() {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as (how?: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void
}

const LOOK_EVERY_MS = 5 * 60_000
/** Less of one core than this is idle. */
const IDLE_SHARE = 0.05

/**
 * Makes the heap of a process that has nothing to do as small as what lives in it: now, and after work. Nobody asks an idle process for memory, so V8
 * would keep what a start or a sync left behind until the next one. Takes about a tenth of a second in which nothing else runs.
 */
export function keepIdleHeapSmall(): void {
  const collect = collector()
  const shrink = () => collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  shrink()
  let used = process.cpuUsage()
  let isShrunk = true
  setInterval(() => {
    const { user, system } = process.cpuUsage(used)
    used = process.cpuUsage()
    const isIdle = (user + system) / 1000 < LOOK_EVERY_MS * IDLE_SHARE
    if (isIdle && !isShrunk) shrink()
    isShrunk = isIdle
  }, LOOK_EVERY_MS).unref()
}

/**
 * Answers a function to call now and then in work that makes much garbage for long. V8 lets garbage pile up to a multiple of what lives before it
 * looks at the old generation, so a hundred thousand records would hold half a gigabyte for nothing; beyond the limits it is asked to look now.
 */
export function createHeapKeeper({ usedBytes, processBytes }: HeapLimits = { usedBytes: 80 * MIB, processBytes: 240 * MIB }): () => void {
  const collect = collector()
  let limit = usedBytes
  let shrunkAt = Number.NEGATIVE_INFINITY
  return () => {
    const { heapUsed, rss } = process.memoryUsage()
    if (rss > processBytes && performance.now() - shrunkAt > SHRINK_EVERY_MS) {
      collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
      shrunkAt = performance.now()
    } else if (heapUsed > limit) collect()
    else return
    // What lives may be more than the limit: then the next look is worth it only after as much garbage again.
    limit = Math.max(usedBytes, process.memoryUsage().heapUsed + 25 * MIB)
  }
}
