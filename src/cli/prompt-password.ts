import { randomBytes } from 'node:crypto'
import { password as ask } from '@inquirer/prompts'
import { BadRequestError } from '../lib/errors.ts'

const MIN_LENGTH = 8

/**
 * A password from ZINC_PASSWORD, else asked for twice on a terminal, else made up (`made`: to be shown once).
 * Never an argument: those stand in the process list. Throws BadRequestError `password_too_short`, `passwords_differ`.
 */
export async function newPassword(): Promise<{ password: string; made: boolean }> {
  const given = process.env.ZINC_PASSWORD
  if (given !== undefined && given !== '') return { password: longEnough(given), made: false }
  if (!process.stdin.isTTY || !process.stderr.isTTY) return { password: randomBytes(12).toString('base64url'), made: true }
  const context = { output: process.stderr }
  const first = longEnough(await ask({ message: 'New password', mask: true }, context))
  if ((await ask({ message: 'Once more', mask: true }, context)) !== first)
    throw new BadRequestError('passwords_differ', 'The two passwords differ')
  return { password: first, made: false }
}

function longEnough(password: string): string {
  if (password.length >= MIN_LENGTH) return password
  throw new BadRequestError('password_too_short', `A password has at least ${MIN_LENGTH} characters`)
}

/** Ctrl-C at a question: the terminal is in raw mode there, so it comes as an error of the prompt and not as a signal. */
export const isPromptCancelled = (error: unknown): boolean =>
  error instanceof Error && ['ExitPromptError', 'AbortPromptError'].includes(error.name)
