import { hash, verify } from '@node-rs/argon2'
import pLimit from 'p-limit'

/** OWASP's minimum for argon2id: 19 MiB, two passes. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
/** Each hash takes 19 MiB and a core: a flood of logins must not take them all. */
const atOnce = pLimit(4)
/** Compared with when the user is not known, so that an answer takes the same time either way. */
let nobody: Promise<string> | undefined

/** Composed (NFC), so that a password is the same from every keyboard and system. */
export const hashPassword = (password: string): Promise<string> => atOnce(() => hash(password.normalize('NFC'), COST))

/** Whether a stored hash was made with other costs than today's; it is made anew at the next login. */
export const isOutdated = (stored: string): boolean => !stored.includes(`$m=${COST.memoryCost},t=${COST.timeCost},p=${COST.parallelism}$`)

export async function passwordMatches(stored: string | null, given: string): Promise<boolean> {
  nobody ??= hashPassword('nobody has this password')
  const target = stored ?? (await nobody)
  // As composed first; hashes of before may be of what was typed, or of the letters apart. How often is looked depends on `given` alone.
  let matches = false
  for (const spelling of new Set([given.normalize('NFC'), given, given.normalize('NFD')]))
    matches = (await atOnce(() => verify(target, spelling))) || matches
  return matches && stored !== null
}
