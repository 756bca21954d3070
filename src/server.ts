import { config as readEnvFile } from 'dotenv'
import { parseConfig } from './config.ts'
import { createLog } from './log.ts'
import { explainStart, serve, untilStopped } from './serve.ts'

readEnvFile({ quiet: true })
// Heard from the first moment: a start that is told to stop still closes what it has opened.
const stopped = untilStopped()
try {
  const config = parseConfig(process.env)
  const log = createLog(config.logLevel)
  const serving = await serve(config, log)
  const { firstAdmin } = serving.services
  if (config.zoho.requestsPerMinute === 0) log.warn('ZOHO_REQUESTS_PER_MINUTE=0: no limit on calls; only a simulator bears that')
  console.log(`zinc listens on ${serving.url}  (API: ${serving.url}/docs)`)
  if (firstAdmin.password !== null) console.log(`First login: ${config.admin.username} / ${firstAdmin.password}  (shown this once)`)
  await stopped
  await serving[Symbol.asyncDispose]()
  process.exit(0)
} catch (error) {
  process.exit(explainStart(error))
}
