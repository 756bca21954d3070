import { readFile } from 'node:fs/promises'
import { text as readAll } from 'node:stream/consumers'
import { InvalidArgumentError } from 'commander'
import { DEFAULT_PORT } from '../edge-client/sharing.ts'
import { IMAGE_SIZES } from '../facts/variants.ts'
import { BadRequestError } from '../lib/errors.ts'
import { PhotoVariant } from '../schemas/photo-sync.ts'
import { parseRateLimit, RATE_LIMIT_HELP } from '../schemas/rate-limit.ts'
import type { EdgeContext } from './edge.ts'

export const serverAddress = (text: string): string => {
  if (!/^https?:\/\/[^\s/]+/.test(text) || !URL.canParse(text)) throw new InvalidArgumentError('must be an http or https address')
  return text
}
export const VARIANT_HELP = `${IMAGE_SIZES.join(', ')} (default: the setting of the store)`
export const variantName = (text: string): PhotoVariant => {
  const read = PhotoVariant.safeParse(text)
  if (!read.success) throw new InvalidArgumentError(`must be one of ${IMAGE_SIZES.join(', ')}`)
  return read.data
}
export const positive = (text: string): number => {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('must be a number above 0')
  return value
}

/** Seconds, from a number or like `15m`. */
export const age = (text: string): number => {
  const [, number, unit = 's'] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? []
  if (number === undefined) throw new InvalidArgumentError('must be seconds, or like 15m, 2h, 1d')
  return Number(number) * { s: 1, m: 60, h: 3_600, d: 86_400 }[(unit || 's') as 's' | 'm' | 'h' | 'd']
}
export const rateLimit = (text: string): string => {
  if (parseRateLimit(text) === undefined) throw new InvalidArgumentError(`must be ${RATE_LIMIT_HELP}`)
  return text
}

export const TOKEN_FILE_HELP = 'a file with the token of the edge server, mode 600'
export const TOKEN_HELP =
  'the token itself, which other users of this machine can read meanwhile; - reads it from standard input. Better: ZINC_EDGE_TOKEN'

export interface HostAndPort {
  host: string
  port: number
}
/** `host:port`, `:port`, or an IPv6 address in brackets. */
function hostAndPort(text: string): HostAndPort {
  const [, host = '', digits] = /^(\[[0-9a-f:.]+\]|[\w.-]*):(\d{1,5})$/i.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65_535) throw new InvalidArgumentError('must be host:port')
  return { host: host.replace(/^\[|\]$/g, ''), port }
}
export const LISTEN_HELP = `where other edge servers of the store fetch from this one (default: 0.0.0.0:${DEFAULT_PORT})`
export const listenAddress = (text: string): HostAndPort => {
  const { host, port } = hostAndPort(text)
  return { host: host || '0.0.0.0', port }
}
export const peerAddresses = (text: string): string[] =>
  text.split(',').map((one) => {
    const { host, port } = hostAndPort(one.trim())
    if (host === '' || port === 0) throw new InvalidArgumentError('must be host:port, separated by commas')
    return `${host.includes(':') ? `[${host}]` : host}:${port}`
  })

export interface TokenOptions {
  token?: string | undefined
  tokenFile?: string | undefined
}

export const noToken = (command: string) => new BadRequestError('no_token', { command })

/**
 * Returns the token from --token-file, from standard input (`--token -`), from the argument,
 * otherwise from ZINC_EDGE_TOKEN. Undefined: none was passed. Throws BadRequestError `token_twice`,
 * `no_token`, `token_file_unreadable`.
 */
export async function tokenOf({ token, tokenFile }: TokenOptions, { say }: EdgeContext): Promise<string | undefined> {
  if (token !== undefined && tokenFile !== undefined) throw new BadRequestError('token_twice')
  const one = (text: string, from: string): string => {
    const found = text.trim()
    if (found === '' || /\s/.test(found)) throw new BadRequestError(found === '' ? 'no_token.empty' : 'no_token.not_only', { from })
    return found
  }
  if (tokenFile !== undefined) {
    const text = await readFile(tokenFile, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      throw new BadRequestError('token_file_unreadable', { file: tokenFile, error: cause.code ?? '' }, { cause })
    })
    return one(text, tokenFile)
  }
  if (token === '-') return one(await readAll(process.stdin), 'standard input')
  if (token !== undefined) {
    say(
      'warning: a token on the command line is visible to every user of this machine while zinc starts, and stays in the shell history. Use --token-file, ZINC_EDGE_TOKEN or --token -.',
    )
    return one(token, '--token')
  }
  return process.env.ZINC_EDGE_TOKEN?.trim() || undefined
}

/**
 * The token could be read on the way, and an attacker who can change the responses could choose the
 * images.
 */
export function warnOfPlainHttp(server: string, { say }: EdgeContext): void {
  const { protocol, hostname } = new URL(server)
  const loopback = hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127\./.test(hostname)
  if (protocol === 'http:' && !loopback)
    say(`warning: ${server} is not encrypted: the token and the images can be read and changed in transit. Use https.`)
}

/** Asks the person at the terminal; not in the one-file client, which would be twice as large. */
export type AskPassword = (username: string, signal: AbortSignal) => Promise<string>

/**
 * Returns the password from ZINC_PASSWORD, otherwise from a prompt. Never from an argument: those
 * are in the process list. Throws BadRequestError `no_password` without a terminal or a prompt.
 */
export async function passwordOf(username: string, signal: AbortSignal, ask: AskPassword | undefined): Promise<string> {
  const given = process.env.ZINC_PASSWORD
  if (given) return given
  if (!ask || !process.stdin.isTTY || !process.stderr.isTTY) throw new BadRequestError('no_password', { username })
  return ask(username, signal)
}
