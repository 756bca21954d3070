/**
 * Lets many workers save one thing each, in as few writes as there is time for: what comes while a
 * write is under way goes into the next one together. A worker goes on when its thing is written,
 * so a kill loses what is in flight and nothing more.
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
