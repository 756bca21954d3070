import { hash, verify } from '@node-rs/argon2'
import pLimit from 'p-limit'

export interface PasswordCost {
  /** In KiB. */
  memoryCost: number
  timeCost: number
  parallelism: number
}

/** OWASP's minimum for argon2id: 19 MiB, two passes. */
const COST: PasswordCost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

export type Passwords = ReturnType<typeof createPasswords>

export function createPasswords(cost: PasswordCost = COST) {
  /** Each hash takes 19 MiB and a core: a flood of logins must not take them all. */
  const limit = pLimit(4)
  /** Verified when the user is unknown, so that a response takes the same time either way. */
  let placeholderHash: Promise<string> | undefined
  /** Composed (NFC), so that a password is the same from every keyboard and system. */
  const hashPassword = (password: string): Promise<string> => limit(() => hash(password.normalize('NFC'), cost))
  return {
    hash: hashPassword,
    /**
     * Whether a stored hash was made with another cost than today's; it is then made again at the
     * next login.
     */
    isOutdated: (stored: string): boolean => !stored.includes(`$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$`),
    async matches(stored: string | null, given: string): Promise<boolean> {
      placeholderHash ??= hashPassword('no account has this password')
      const target = stored ?? (await placeholderHash)
      // Composed first; older hashes may be of the text as typed, or decomposed. The number of
      // tries depends on `given` alone.
      let matches = false
      for (const spelling of new Set([given.normalize('NFC'), given, given.normalize('NFD')]))
        matches = (await limit(() => verify(target, spelling))) || matches
      return matches && stored !== null
    },
  }
}
