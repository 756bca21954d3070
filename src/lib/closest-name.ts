/** The number of single-character changes that turn one text into the other. */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let at = 1; at <= b.length; at++) {
      const replaced = above[at - 1]! + (a[row - 1] === b[at - 1] ? 0 : 1)
      current.push(Math.min(replaced, above[at]! + 1, current[at - 1]! + 1))
    }
    above = current
  }
  return above[b.length]!
}

/** Longer names are no typing mistakes, and comparing them costs their length squared. */
const MAX_LENGTH = 100

/** Returns the name that was most likely meant, ignoring case; null where none is similar. */
export function closestName(name: string, known: readonly string[]): string | null {
  if (name.length > MAX_LENGTH) return null
  const lower = name.toLowerCase()
  let best: { name: string; distance: number } | null = null
  for (const candidate of known) {
    const distance = editDistance(lower, candidate.toLowerCase())
    if (distance <= Math.max(1, Math.floor(candidate.length / 3)) && (best === null || distance < best.distance))
      best = { name: candidate, distance }
  }
  return best?.name ?? null
}
