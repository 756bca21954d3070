import { config as readEnvFile } from 'dotenv'
import type { FirstLogin } from './auth/print-first-login.ts'
import { type Config, parseConfig } from './config.ts'
import { createLogger } from './lib/logger.ts'
import { aborted, listenForShutdown } from './lib/shutdown-signal.ts'
import { printStartupError, startServer } from './start-server.ts'

/** Five lines for a person, JSON lines for a program. */
const onTerminal = process.stdout.isTTY === true

const printLine = (name: string, text: string) => console.log(`${name.padEnd(12)} ${text}`)

function printFirstLogin({ username, password }: FirstLogin): void {
  if (onTerminal)
    printLine('Login', password === null ? `${username}, with ADMIN_PASSWORD` : `${username} / ${password}  (shown this once)`)
  else if (password !== null) console.log(JSON.stringify({ msg: 'first login', username, password }))
}

function printStart(config: Config, url: string): void {
  const page = config.role === 'worker' ? null : `${config.http.publicUrl ?? url}/settings/integrations/zoho`
  const database = config.databaseUrl === undefined ? 'embedded PostgreSQL' : databaseName(config.databaseUrl)
  if (onTerminal) {
    printLine('Address', url)
    printLine('Page', page ?? 'not on this process (ROLE=worker)')
    printLine('Database', database)
    printLine('Data folder', config.dataDir)
  } else {
    console.log(JSON.stringify({ msg: `zinc listens on ${url} (API: ${url}/docs)`, url, page, database, data_dir: config.dataDir }))
  }
}

/** Host and name, never the password. */
function databaseName(databaseUrl: string): string {
  const url = new URL(databaseUrl)
  return `${url.host || url.searchParams.get('host') || 'localhost'}${url.pathname}`
}

// Listened for from the start: a start that is stopped still closes what it has opened.
const { signal } = listenForShutdown()
try {
  readEnvFile({ quiet: true })
  const config = parseConfig(process.env)
  // The log lines of a first start's migrations would hide the five lines on a terminal.
  const log = createLogger(process.stderr.isTTY && !process.env.LOG_LEVEL ? 'warn' : config.logLevel)
  // Loaded only where it is wanted: the SDK takes memory and time.
  const tracing = config.traces ? (await import('./telemetry/start-tracing.ts')).startTracing(process.env) : null
  const serving = await startServer(config, log, { signal, onFirstLogin: printFirstLogin })
  if (config.zoho.requestsPerMinute === 0) log.warn('ZOHO_REQUESTS_PER_MINUTE=0: no limit on calls; only a simulator bears that')
  printStart(config, serving.url)
  await aborted(signal)
  await serving[Symbol.asyncDispose]()
  await tracing?.shutdown()
  process.exit(0)
} catch (error) {
  process.exit(error === signal.reason ? 0 : printStartupError(error))
}
