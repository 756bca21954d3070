import { type Dispatcher, request } from 'undici'
import type { NotificationSettings } from '../settings/notification-settings.ts'

export type Channel = 'email' | 'webhook'
export interface Message {
  kind: string
  subject: string
  text: string
  at: Date
}

const TIMEOUT_MS = 15_000

/** The channels that are set. */
export const channelsOf = ({ addresses }: NotificationSettings): Channel[] => [
  ...(addresses.email && addresses.smtp_url ? (['email'] as const) : []),
  ...(addresses.webhook_url ? (['webhook'] as const) : []),
]

/** Sends one message through one channel. The error names no address, since addresses hold passwords and tokens. */
export async function deliverThrough(
  channel: Channel,
  message: Message,
  { addresses, dispatcher }: { addresses: NotificationSettings['addresses']; dispatcher: Dispatcher },
): Promise<void> {
  try {
    if (channel === 'email') await mail(addresses, message)
    else await post(addresses.webhook_url ?? '', message, dispatcher)
  } catch (error) {
    throw new Error(reasonOf(error))
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

async function post(url: string, { kind, subject, text, at }: Message, dispatcher: Dispatcher): Promise<void> {
  const reply = await request(url, {
    method: 'POST',
    dispatcher,
    headers: { 'content-type': 'application/json' },
    // `text` alone is what chat services show.
    body: JSON.stringify({ kind, subject, text: `${subject}\n${text}`, at: at.toISOString() }),
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  })
  await reply.body.dump({ limit: 64 * 1024 })
  if (reply.statusCode >= 300) throw new Error(`the receiver answered with status ${reply.statusCode}`)
}

/** Codes and statuses only: messages of mail servers and of URL parsers quote what they were given. */
function reasonOf(error: unknown): string {
  const { code, responseCode } = error as { code?: string; responseCode?: number }
  if (responseCode !== undefined)
    return `the mail server refuses it (${responseCode}${code === 'EAUTH' ? ': user or password is wrong' : ''})`
  if (code !== undefined) return `the receiver cannot be reached (${code})`
  const message = error instanceof Error ? error.message : ''
  return /^the receiver answered with status \d+$/.test(message) ? message : 'the address does not work'
}
