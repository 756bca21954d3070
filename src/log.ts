import { type DestinationStream, type Logger, pino } from 'pino'

/** JSON lines; whatever is logged, these places never show their value. */
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
  'code',
]
  .filter((key) => key !== 'code') // `code` names failures all over; grant codes are never logged as such
  .flatMap((key) => [key, `*.${key}`, `req.headers.${key}`])

export const createLog = (level: string, to: DestinationStream = pino.destination(2)): Logger =>
  pino({ level, redact: { paths: SECRET_PATHS, censor: '[secret]' } }, to)
