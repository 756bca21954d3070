import { type DestinationStream, type Logger, pino } from 'pino'
import { traceIds } from './tracing.ts'

/**
 * Values at these paths are never logged. `code` is not among them: it is the code of every error.
 */
const SECRET_PATHS = [
  'authorization',
  'cookie',
  'password',
  'client_secret',
  'clientSecret',
  'refresh_token',
  'refreshToken',
  'access_token',
  'token',
  'set-cookie',
  'location',
].flatMap((key) => {
  const member = key.includes('-') ? `["${key}"]` : `.${key}`
  return [key.includes('-') ? member : key, `*${member}`, `headers${member}`, `*.headers${member}`]
})

/** Query keys with secret values: the grant of the consent, the signature of an image's URL. */
const SECRET_QUERY = /([?&](?:code|state|sig|token|access_token|refresh_token|client_secret|password)=)[^&#]*/gi

interface LoggedRequest {
  method?: string
  url?: string
  host?: string
  ip?: string
}

interface LoggedResponse {
  statusCode?: number
}

const serializers = {
  // Pino's own serializer logs every header, including new cookies and the OAuth state.
  res: ({ statusCode }: LoggedResponse) => ({ statusCode }),
  req: ({ method, url, host, ip }: LoggedRequest) => ({ method, url: url?.replace(SECRET_QUERY, '$1[secret]'), host, remoteAddress: ip }),
}

/** Creates a logger: JSON lines on stderr, or lines for people where stderr is a terminal. */
export const createLogger = (
  level: string,
  to: DestinationStream = process.stderr.isTTY ? terminalStream(level) : pino.destination(2),
): Logger =>
  pino(
    {
      level,
      mixin: traceIds,
      redact: { paths: SECRET_PATHS, censor: '[secret]' },
      serializers: { ...pino.stdSerializers, ...serializers },
    },
    to,
  )

const terminalStream = (level: string): DestinationStream => ({
  write: (line) => void process.stderr.write(`${readableLine(line, { stacks: level === 'debug' })}\n`),
})

/** Escape sequences in a logged name must not move the cursor or change colours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what the pattern matches
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g

/**
 * Returns one JSON line of the log as `12:34:56 WARN message key=value`; the stack of an error only
 * with `stacks`.
 */
export function readableLine(line: string, { stacks = false } = {}): string {
  const { level, time, msg, pid: _pid, hostname: _hostname, err, ...rest } = JSON.parse(line) as LogEntry
  const at = new Date(time).toTimeString().slice(0, 8)
  const fields = Object.entries(rest).map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const cause = err?.message !== undefined && err.message !== msg ? [`(${err.message})`] : []
  const text = [at, (pino.levels.labels[level] ?? '').toUpperCase().padEnd(5), msg ?? '', ...cause, ...fields]
  const stack = stacks && err?.stack ? err.stack.split('\n').map((it) => `\n    ${it.replace(CONTROL_CHARACTERS, ' ')}`) : []
  return text.join(' ').replace(CONTROL_CHARACTERS, ' ') + stack.join('')
}

interface LogEntry extends Record<string, unknown> {
  level: number
  time: number
  msg?: string
  err?: { message?: string; stack?: string }
}
