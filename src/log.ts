import { type DestinationStream, type Logger, pino } from 'pino'

/** JSON lines; whatever is logged, these places never show their value. `code` is not among them: it names failures all over. */
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
].flatMap((key) => [key, `*.${key}`, `req.headers.${key}`])

/** Keys of a query that carry something to keep: the grant of the consent, the signature of a picture's address. */
const SECRET_QUERY = /([?&](?:code|state|sig|token|access_token|refresh_token|client_secret|password)=)[^&#]*/gi

interface LoggedRequest {
  method?: string
  url?: string
  host?: string
  ip?: string
}

const serializers = {
  req: ({ method, url, host, ip }: LoggedRequest) => ({ method, url: url?.replace(SECRET_QUERY, '$1[secret]'), host, remoteAddress: ip }),
}

export const createLog = (level: string, to: DestinationStream = pino.destination(2)): Logger =>
  pino({ level, redact: { paths: SECRET_PATHS, censor: '[secret]' }, serializers: { ...pino.stdSerializers, ...serializers } }, to)
