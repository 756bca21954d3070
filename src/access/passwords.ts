import { hash, verify } from '@node-rs/argon2'
import pLimit from 'p-limit'

export interface PasswordCost {
  /** KiB. */
  memoryCost: number
  timeCost: number
  parallelism: number
}

/** OWASP's minimum for argon2id: 19 MiB, two passes. */
const COST: PasswordCost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

export type Passwords = ReturnType<typeof createPasswords>

export function createPasswords(cost: PasswordCost = COST) {
  /** Each hash takes 19 MiB and a core: a flood of logins must not take them all. */
  const atOnce = pLimit(4)
  /** Compared with when the user is not known, so that an answer takes the same time either way. */
  let nobody: Promise<string> | undefined
  const hashPassword = (password: string): Promise<string> => atOnce(() => hash(password, cost))
  return {
    hash: hashPassword,
    /** Whether a stored hash was made with other costs than today's; it is made again at the next login. */
    isOutdated: (stored: string): boolean => !stored.includes(`$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$`),
    async matches(stored: string | null, given: string): Promise<boolean> {
      nobody ??= hashPassword('nobody has this password')
      const target = stored ?? (await nobody)
      const matches = await atOnce(() => verify(target, given))
      return matches && stored !== null
    },
  }
}
