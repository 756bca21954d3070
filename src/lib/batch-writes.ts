/**
 * Lets many workers save one thing each in few writes: what arrives during a write is written
 * together in the next one. A worker continues when its thing is written, so a crash loses only
 * what is in flight.
 */
export function createBatchWriter<T>(write: (things: T[]) => Promise<void>): (thing: T) => Promise<void> {
  let waiting: { thing: T; resolve(): void; reject(error: unknown): void }[] = []
  let writing = false

  async function drain(): Promise<void> {
    writing = true
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      try {
        await write(group.map((it) => it.thing))
        for (const it of group) it.resolve()
      } catch (error) {
        for (const it of group) it.reject(error)
      }
    }
    writing = false
  }

  return (thing) =>
    new Promise((resolve, reject) => {
      waiting.push({ thing, resolve, reject })
      if (!writing) void drain()
    })
}
