/** A longer pause is no slow line: nothing was asked for. */
const LONGEST_GAP_MS = 5_000

/** Measures how long a byte from head office takes while some arrive. */
export function createLinePace() {
  let busyMs = 0
  let bytes = 0
  let lastAt = Number.NEGATIVE_INFINITY
  return {
    add(more: number): void {
      const now = performance.now()
      // The bytes after a pause came in an unknown time.
      if (now - lastAt < LONGEST_GAP_MS) {
        busyMs += now - lastAt
        bytes += more
      }
      lastAt = now
    },
    msPerByte: (): number => (bytes === 0 ? 0 : busyMs / bytes),
  }
}
