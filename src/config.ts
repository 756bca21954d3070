import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { DATA_CENTERS } from './facts/data-centers.ts'
import { StartupError } from './lib/errors.ts'
import { findPasswordWeakness, MIN_PASSWORD_LENGTH } from './lib/weak-password.ts'
import { say } from './messages/say.ts'
import { wantsTraces } from './telemetry/enabled.ts'

const KIB = 1024
const MIB = 1024 * KIB
const GIB = 1024 * MIB

/** An empty variable counts as not set: people leave `KEY=` in `.env` files. */
const blankIsUnset = (value: unknown) => (value === '' ? undefined : value)
const text = () => z.preprocess(blankIsUnset, z.string().trim().min(1).optional())
const whole = (min: number, max = Number.MAX_SAFE_INTEGER) => {
  const error = `must be a whole number from ${min}${max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max}`}`
  return z.preprocess(blankIsUnset, z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error }).optional())
}
const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? blankIsUnset(value.trim().toLowerCase()) : value),
    z.enum(values, { error: `must be one of: ${values.join(', ')}` }).optional(),
  )
const httpUrl = () => z.preprocess(blankIsUnset, z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).optional())
const yesNo = () =>
  z
    .preprocess(blankIsUnset, z.enum(['0', '1', 'true', 'false'], { error: 'must be 1 or 0' }).optional())
    .transform((v) => v === '1' || v === 'true')
const list = () =>
  z.preprocess(blankIsUnset, z.string().optional()).transform((value) =>
    (value ?? '')
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  )
const keys = () =>
  list().refine((values) => values.every((value) => Buffer.from(value, 'base64').length >= 32), {
    message: 'must be 32 bytes in base64 (`openssl rand -base64 32`), or new,old while rotating',
  })

/** The words are proxy-addr's names for the usual private networks. */
const isNetwork = (value: string) =>
  ['loopback', 'linklocal', 'uniquelocal'].includes(value) || ipaddr.isValid(value) || ipaddr.isValidCIDR(value)
const isOrigin = (value: string) => /^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value

/**
 * A host with or without a port, and nothing around it: a whole URL, for example, would never match
 * an image's host.
 */
const isHost = (value: string) => /^[^\s/@?#*]+$/.test(value) && URL.canParse(`http://${value}`)
function weaknessOf(password: string): string {
  const weakness = findPasswordWeakness(password)
  return weakness === null ? '' : say(`weak_password.${weakness}`, { min_password_length: MIN_PASSWORD_LENGTH }).message
}
const isMailAddress = (value: string) => /^[^\s@<>]+@[^\s@<>]+$/.test(value)

/** 5 s, 30 s, 5 min, 30 min, 2 h, 6 h, then every 12 h within three days. */
const WEBHOOK_RETRY_SECONDS = [5, 30, 300, 1_800, 7_200, 21_600, ...Array<number>(5).fill(43_200)]

/**
 * Every key of the environment that zinc reads; `.env.example` lists the same keys with the same
 * defaults.
 */
const Env = z.object({
  HOST: text(),
  PORT: whole(0, 65_535),
  PUBLIC_URL: httpUrl(),
  MOVED_TO: httpUrl(),
  TRUSTED_PROXIES: list().refine((values) => values.every(isNetwork), {
    message: 'must be addresses or networks separated by commas, e.g. 10.0.0.5 or 10.0.0.0/8',
  }),
  CORS_ORIGINS: list().refine((values) => values.every(isOrigin), {
    message: 'must be origins separated by commas, e.g. http://localhost:5173 (no path, no *)',
  }),
  DATA_DIR: text(),
  DATABASE_URL: z.preprocess(blankIsUnset, z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgresql:// address' }).optional()),
  DATABASE_MAX_CONNECTIONS: whole(2, 100),
  ROLE: oneOf(['all', 'api', 'worker']),
  ADMIN_USERNAME: text(),
  ADMIN_PASSWORD: z.preprocess(
    blankIsUnset,
    z
      .string()
      .refine((value) => findPasswordWeakness(value) === null, {
        error: ({ input }) => `${weaknessOf(String(input))}; choose another one (\`openssl rand -base64 18\` makes one)`,
      })
      .optional(),
  ),
  SESSION_DAYS: whole(1, 3_650),
  REQUIRE_SECOND_FACTOR: oneOf(['none', 'admin', 'all']),
  JWT_SECRET: keys(),
  CREDENTIALS_KEY: keys(),
  LOG_LEVEL: oneOf(['debug', 'info', 'warn', 'error', 'silent']),
  ZOHO_CLIENT_ID: text(),
  ZOHO_CLIENT_SECRET: text(),
  ZOHO_REFRESH_TOKEN: text(),
  ZOHO_ORGANIZATION_ID: text(),
  ZOHO_DATA_CENTER: oneOf(DATA_CENTERS),
  ZOHO_ACCOUNTS_URL: httpUrl(),
  ZOHO_API_URL: httpUrl(),
  ZOHO_REQUESTS_PER_MINUTE: whole(0),
  ZOHO_REQUESTS_PER_DAY: whole(1),
  ZOHO_CONCURRENCY: whole(1, 100),
  STOCK_PERCENT: whole(0, 90),
  STORAGE: oneOf(['file', 's3']),
  S3_ENDPOINT: httpUrl(),
  S3_REGION: text(),
  S3_BUCKET: text(),
  S3_ACCESS_KEY_ID: text(),
  S3_SECRET_ACCESS_KEY: text(),
  S3_FORCE_PATH_STYLE: yesNo(),
  BACKUP_S3_ENDPOINT: httpUrl(),
  BACKUP_S3_REGION: text(),
  BACKUP_S3_ACCESS_KEY_ID: text(),
  BACKUP_S3_SECRET_ACCESS_KEY: text(),
  BACKUP_S3_FORCE_PATH_STYLE: yesNo(),
  SECRETS_PROVIDER: oneOf(['env', 'gcp']),
  GCP_PROJECT_ID: text(),
  GOOGLE_APPLICATION_CREDENTIALS: text(),
  IMAGE_URL_ALLOWLIST: list().refine((values) => values.every(isHost), {
    message: 'must be hosts separated by commas, e.g. images.intra.example:8080 (no http://, no path, no *)',
  }),
  WEBHOOK_URL_ALLOWLIST: list().refine((values) => values.every(isHost), {
    message: 'must be hosts separated by commas, e.g. erp.intra.example:8080 (no http://, no path, no *)',
  }),
  WEBHOOK_RETRY_SECONDS: list().refine((values) => values.every((value) => /^\d{1,7}$/.test(value)), {
    message: 'must be seconds separated by commas, e.g. 5,30,300',
  }),
  MAX_IMPORT_BYTES: whole(1),
  PUBLIC_IMAGES: yesNo(),
  API_REQUESTS_PER_MINUTE: whole(0),
  TOMBSTONE_DAYS: whole(1, 36_500),
  JSON_BASE_DIR: text(),
  X_ACCEL: yesNo(),
  METRICS_TOKEN: z.preprocess(blankIsUnset, z.string().min(8, 'must have at least 8 characters').optional()),
  SMTP_URL: z.preprocess(blankIsUnset, z.url({ protocol: /^smtps?$/, error: 'must be an smtp:// or smtps:// address' }).optional()),
  NOTIFY_EMAIL: text().refine((value) => value === undefined || value.split(',').every((one) => isMailAddress(one.trim())), {
    message: 'must be email addresses separated by commas',
  }),
  NOTIFY_WEBHOOK_URL: httpUrl(),
  MAX_UPLOAD_BYTES: whole(1),
  MAX_INPUT_PIXELS: whole(1),
})

/**
 * Keys that may be passed as `<KEY>_FILE` instead: files that Docker, systemd or Kubernetes mount.
 */
const SECRET_KEYS = [
  'ADMIN_PASSWORD',
  'JWT_SECRET',
  'CREDENTIALS_KEY',
  'DATABASE_URL',
  'ZOHO_CLIENT_ID',
  'ZOHO_CLIENT_SECRET',
  'ZOHO_REFRESH_TOKEN',
  'S3_ACCESS_KEY_ID',
  'S3_SECRET_ACCESS_KEY',
  'BACKUP_S3_ACCESS_KEY_ID',
  'BACKUP_S3_SECRET_ACCESS_KEY',
  'METRICS_TOKEN',
  'SMTP_URL',
  'NOTIFY_WEBHOOK_URL',
] as const satisfies (keyof typeof Env.shape)[]

export const SECRET_FILE_KEYS = SECRET_KEYS.map((key) => `${key}_FILE`)

/**
 * Reads the files that `<KEY>_FILE` names, without one line end at their end; `wrong` lists those
 * that cannot be used, without their content.
 */
function readSecretFiles(env: NodeJS.ProcessEnv): { values: Record<string, string>; wrong: string[] } {
  const values: Record<string, string> = {}
  const wrong: string[] = []
  for (const key of SECRET_KEYS) {
    const path = env[`${key}_FILE`]
    if (!path) continue
    if (env[key]) {
      wrong.push(`${key}_FILE: ${key} is set as well. Take one of the two out`)
      continue
    }
    try {
      const value = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
      if (value === '') wrong.push(`${key}_FILE: ${path} is empty`)
      else values[key] = value
    } catch (error) {
      wrong.push(`${key}_FILE: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`)
    }
  }
  return { values, wrong }
}

/**
 * Keys that are of use only with another one; alone they would be ignored. The mail server and the
 * address of notifications are not among them: each may be entered on the page instead.
 */
export const NEEDED_WITH: readonly (readonly [key: string, needed: string])[] = [
  ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'],
  ['S3_SECRET_ACCESS_KEY', 'S3_ACCESS_KEY_ID'],
  ['BACKUP_S3_ACCESS_KEY_ID', 'BACKUP_S3_SECRET_ACCESS_KEY'],
  ['BACKUP_S3_SECRET_ACCESS_KEY', 'BACKUP_S3_ACCESS_KEY_ID'],
  ['BACKUP_S3_FORCE_PATH_STYLE', 'BACKUP_S3_ENDPOINT'],
  ['OTEL_EXPORTER_OTLP_CLIENT_KEY', 'OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE'],
  ['OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE', 'OTEL_EXPORTER_OTLP_CLIENT_KEY'],
]

function missingPartners(env: NodeJS.ProcessEnv): string[] {
  const isSet = (key: string) => !['', '0', 'false'].includes(env[key]?.trim() ?? '')
  const missing = NEEDED_WITH.filter(([key, needed]) => isSet(key) && !isSet(needed)).map(
    ([key, needed]) => `${needed}: is needed with ${key}. Set both, or neither`,
  )
  const { username, password } = URL.canParse(env.SMTP_URL ?? '') ? new URL(env.SMTP_URL!) : { username: '', password: '' }
  if ((username === '') !== (password === ''))
    missing.push('SMTP_URL: a user name and a password are needed together. Give both, or neither')
  return missing
}

/** The names of the keys above, for the test that compares `.env.example` with them. */
export const ENVIRONMENT_KEYS = Object.keys(Env.shape)

export type Config = ReturnType<typeof parseConfig>

/**
 * Parses the environment; entry points call it once and pass parts of the result on. Throws
 * StartupError (exit status 2) with one line for each wrong key.
 */
export function parseConfig(env: NodeJS.ProcessEnv) {
  const secrets = readSecretFiles(env)
  const given = { ...env, ...secrets.values }
  const read = Env.safeParse(given)
  const wrong = [
    ...secrets.wrong,
    ...missingPartners(given),
    ...(read.success ? [] : read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)),
  ]
  if (read.success && read.data.STORAGE === 's3' && !read.data.S3_BUCKET) {
    wrong.push('S3_BUCKET: is needed with STORAGE=s3. Name the bucket that holds the images, or use STORAGE=file')
  }
  if (read.success && read.data.SECRETS_PROVIDER === 'gcp' && !read.data.GCP_PROJECT_ID) {
    wrong.push('GCP_PROJECT_ID: is needed with SECRETS_PROVIDER=gcp. Name the project that holds the secrets, or use SECRETS_PROVIDER=env')
  }
  if (!read.success || wrong.length > 0) {
    throw new StartupError('invalid_configuration', { problems: wrong }, { exitStatus: 2 })
  }
  const e = read.data
  const s3 = {
    endpoint: e.S3_ENDPOINT,
    region: e.S3_REGION ?? 'us-east-1',
    accessKeyId: e.S3_ACCESS_KEY_ID,
    secretAccessKey: e.S3_SECRET_ACCESS_KEY,
    forcePathStyle: e.S3_FORCE_PATH_STYLE,
  }
  // All or none of them: a key must not be sent to the other service.
  const ownBackupService = [e.BACKUP_S3_ENDPOINT, e.BACKUP_S3_REGION, e.BACKUP_S3_ACCESS_KEY_ID].some((it) => it !== undefined)
  const dataDir = resolve(e.DATA_DIR ?? './data')
  const requestsPerMinute = e.API_REQUESTS_PER_MINUTE
  return {
    logLevel: e.LOG_LEVEL ?? 'info',
    /** The standard OTEL_* variables ask for traces. */
    traces: wantsTraces(env),
    role: e.ROLE ?? 'all',
    dataDir,
    /** Undefined: the embedded PostgreSQL of the data folder. */
    databaseUrl: e.DATABASE_URL,
    /** Of this process, besides two that listen. */
    maxDatabaseConnections: e.DATABASE_MAX_CONNECTIONS,
    http: {
      host: e.HOST ?? '127.0.0.1',
      port: e.PORT ?? 8000,
      /** Undefined: the URL that zinc really listens on. */
      publicUrl: e.PUBLIC_URL?.replace(/\/+$/, ''),
      /** The new address, which the edge servers that still come to this one are given. */
      movedTo: e.MOVED_TO?.replace(/\/+$/, ''),
      trustedProxies: e.TRUSTED_PROXIES,
      corsOrigins: e.CORS_ORIGINS,
      requestsPerMinute: { person: requestsPerMinute ?? 6_000, edge: requestsPerMinute ?? 60_000 },
      metricsToken: e.METRICS_TOKEN,
      xAccel: e.X_ACCEL,
      /** `/images/{zoho_item_id}.{ext}` is public. */
      publicImages: e.PUBLIC_IMAGES,
    },
    /** A login ends after so many days, however often it is refreshed. */
    sessionDays: e.SESSION_DAYS ?? 90,
    /** Which accounts must have a second factor. */
    requireSecondFactor: e.REQUIRE_SECOND_FACTOR ?? 'none',
    admin: { username: e.ADMIN_USERNAME ?? 'admin', password: e.ADMIN_PASSWORD },
    /** Newest first; empty: the key file under `settings/` of the data folder. */
    keys: { jwt: e.JWT_SECRET, credentials: e.CREDENTIALS_KEY },
    zoho: {
      clientId: e.ZOHO_CLIENT_ID,
      clientSecret: e.ZOHO_CLIENT_SECRET,
      refreshToken: e.ZOHO_REFRESH_TOKEN,
      organizationId: e.ZOHO_ORGANIZATION_ID,
      dataCenter: e.ZOHO_DATA_CENTER,
      accountsUrl: e.ZOHO_ACCOUNTS_URL?.replace(/\/+$/, ''),
      apiUrl: e.ZOHO_API_URL?.replace(/\/+$/, ''),
      /** 0: no limit (simulators only). */
      requestsPerMinute: e.ZOHO_REQUESTS_PER_MINUTE ?? 80,
      requestsPerDay: e.ZOHO_REQUESTS_PER_DAY,
      concurrency: e.ZOHO_CONCURRENCY ?? 4,
      /** Percent of the day's calls for stock by location, until it is set at run time. 0: none. */
      stockPercent: e.STOCK_PERCENT ?? 10,
    },
    storage: {
      kind: e.STORAGE ?? 'file',
      s3: { ...s3, bucket: e.S3_BUCKET },
    },
    /** How the bucket of a backup is reached. */
    backup: {
      s3: ownBackupService
        ? {
            endpoint: e.BACKUP_S3_ENDPOINT,
            region: e.BACKUP_S3_REGION ?? 'us-east-1',
            accessKeyId: e.BACKUP_S3_ACCESS_KEY_ID,
            secretAccessKey: e.BACKUP_S3_SECRET_ACCESS_KEY,
            forcePathStyle: e.BACKUP_S3_FORCE_PATH_STYLE,
          }
        : s3,
    },
    encryption: { provider: e.SECRETS_PROVIDER ?? (e.GCP_PROJECT_ID ? 'gcp' : 'env'), gcpProjectId: e.GCP_PROJECT_ID },
    images: {
      urlAllowlist: e.IMAGE_URL_ALLOWLIST,
      maxUploadBytes: e.MAX_UPLOAD_BYTES ?? 25 * MIB,
      maxImportBytes: e.MAX_IMPORT_BYTES ?? 2 * GIB,
      maxInputPixels: e.MAX_INPUT_PIXELS ?? 50_000_000,
      maxSidePixels: 12_000,
    },
    edges: { tombstoneDays: e.TOMBSTONE_DAYS ?? 90 },
    pull: { jsonBaseDir: e.JSON_BASE_DIR },
    webhooks: {
      urlAllowlist: e.WEBHOOK_URL_ALLOWLIST,
      retrySeconds: e.WEBHOOK_RETRY_SECONDS.length > 0 ? e.WEBHOOK_RETRY_SECONDS.map(Number) : WEBHOOK_RETRY_SECONDS,
    },
    notify: { smtpUrl: e.SMTP_URL, email: e.NOTIFY_EMAIL, webhookUrl: e.NOTIFY_WEBHOOK_URL },
  } as const
}
