import { request } from 'undici'
import { BadGatewayError } from '../lib/errors.ts'
import type { GuardedAgents } from '../lib/ssrf-guard.ts'
import type { NotificationSettings } from '../settings/notification-settings.ts'

export type Channel = 'email' | 'webhook'
export interface Message {
  kind: string
  subject: string
  text: string
  at: Date
}

const TIMEOUT_MS = 15_000

/** Returns the channels that are configured. */
export const channelsOf = ({ addresses }: NotificationSettings): Channel[] => [
  ...(addresses.email && addresses.smtp_url ? (['email'] as const) : []),
  ...(addresses.webhook_url ? (['webhook'] as const) : []),
]

/**
 * Connections for sending: `webhooks` for URLs that a person stored, whose hosts must be public or
 * on the allowlist.
 */
export interface Outlets {
  webhooks: GuardedAgents
}

/**
 * Sends one message through one channel. Throws BadGatewayError, which contains no URL, since URLs
 * contain passwords and tokens. It is the same whatever kept a webhook from arriving, so that it
 * reveals nothing about zinc's network; its `cause` is for the log.
 */
export async function deliverThrough(
  channel: Channel,
  message: Message,
  { addresses, outlets }: { addresses: NotificationSettings['addresses']; outlets: Outlets },
): Promise<void> {
  try {
    if (channel === 'email') await mail(addresses, message)
    else await post(addresses.webhook_url ?? '', message, outlets.webhooks)
  } catch (error) {
    const options = { cause: reasonOf(error) }
    throw channel === 'email' ? mailFailure(error, options) : new BadGatewayError('notification_refused', {}, options)
  }
}

async function mail({ smtp_url, email }: NotificationSettings['addresses'], { subject, text }: Message): Promise<void> {
  // Loaded with the first mail: most shops never send one.
  const { createTransport } = await import('nodemailer')
  const url = new URL(smtp_url ?? '')
  const transport = createTransport({
    host: url.hostname,
    port: url.port === '' ? undefined : Number(url.port),
    secure: url.protocol === 'smtps:',
    // Otherwise an attacker in between could remove the STARTTLS offer from the greeting and read
    // the password.
    requireTLS: url.username !== '' && !isLoopback(url.hostname),
    ...(url.username !== '' && { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  try {
    const sender = url.searchParams.get('from') ?? (url.username.includes('%40') ? decodeURIComponent(url.username) : undefined)
    const to = email ?? ''
    await transport.sendMail({ from: sender ?? `zinc <${to.split(',')[0]?.trim()}>`, to, subject: `[zinc] ${subject}`, text })
  } finally {
    transport.close()
  }
}

const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(host)

async function post(address: string, { kind, subject, text, at }: Message, agents: GuardedAgents): Promise<void> {
  const url = new URL(address)
  if (!agents.mayConnect(url)) throw new Error('the address is not public')
  const reply = await request(url, {
    method: 'POST',
    dispatcher: agents.dispatcherOf(url),
    headers: { 'content-type': 'application/json' },
    // Chat services show only `text`.
    body: JSON.stringify({ kind, subject, text: `${subject}\n${text}`, at: at.toISOString() }),
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  })
  await reply.body.dump({ limit: 64 * 1024 })
  if (reply.statusCode >= 300) throw new Error(`the receiver answered with status ${reply.statusCode}`)
}

/**
 * A status is the mail server's own reply; anything else would reveal what is behind the address.
 */
function mailFailure(error: unknown, options: { cause: string }): BadGatewayError {
  const { code, responseCode } = error as { code?: string; responseCode?: number }
  if (code === 'ETLS') return new BadGatewayError('mail_no_tls', {}, options)
  if (responseCode !== undefined) return new BadGatewayError('mail_refused', { status: responseCode, login: code === 'EAUTH' }, options)
  return new BadGatewayError('mail_unreachable', {}, options)
}

/**
 * For the log. Codes and statuses only: messages of mail servers and of URL parsers quote what they
 * were given.
 */
function reasonOf(error: unknown): string {
  const { code, responseCode, message } = error as { code?: string; responseCode?: number; message?: string }
  if (message !== undefined && /^the receiver answered with status \d+$|^the address is not public$/.test(message)) return message
  return code ?? String(responseCode ?? 'unknown')
}
