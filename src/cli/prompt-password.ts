import { randomBytes } from 'node:crypto'
import { password as ask } from '@inquirer/prompts'
import { BadRequestError } from '../lib/errors.ts'
import { findPasswordWeakness, MIN_PASSWORD_LENGTH } from '../lib/weak-password.ts'

/**
 * Returns a password from ZINC_PASSWORD, otherwise from a double prompt on a terminal, otherwise a
 * generated one (`made`: to be shown once). Never from an argument: those are in the process list.
 * Throws BadRequestError `weak_password`, `passwords_differ`.
 */
export async function newPassword(): Promise<{ password: string; made: boolean }> {
  const given = process.env.ZINC_PASSWORD
  if (given !== undefined && given !== '') return { password: strongEnough(given), made: false }
  if (!process.stdin.isTTY || !process.stderr.isTTY) return { password: randomBytes(12).toString('base64url'), made: true }
  const context = { output: process.stderr }
  const first = strongEnough(await ask({ message: 'New password', mask: true }, context))
  if ((await ask({ message: 'Repeat password', mask: true }, context)) !== first) throw new BadRequestError('passwords_differ')
  return { password: first, made: false }
}

export const askPassword = (username: string, signal: AbortSignal): Promise<string> =>
  ask({ message: `Password of ${username}` }, { signal, output: process.stderr })

/** Checked before it has to be typed a second time. */
function strongEnough(password: string): string {
  const weakness = findPasswordWeakness(password)
  if (weakness === null) return password
  throw new BadRequestError(`weak_password.${weakness}`, { min_password_length: MIN_PASSWORD_LENGTH })
}

/**
 * Ctrl-C in a prompt: the terminal is in raw mode, so it arrives as an error of the prompt and not
 * as a signal.
 */
export const isPromptCancelled = (error: unknown): boolean =>
  error instanceof Error && ['ExitPromptError', 'AbortPromptError'].includes(error.name)
