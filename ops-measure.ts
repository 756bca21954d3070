import { createHash, randomBytes } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { mkdtemp, writeFile, rm, mkdir, chmod } from 'node:fs/promises'
import { pino } from 'pino'
import { parseConfig } from './src/config.ts'
import { openServices } from './src/services.ts'
const root = await mkdtemp('/tmp/ops-measure-'); await chmod(root, 0o755)
const env = { DATA_DIR: `${root}/data`, PORT: '0', LOG_LEVEL: 'error' }
const services = await openServices(parseConfig(env), pino({ level: 'error' }))
const { db, store } = services
for (let n = 0; n < 5000; n++) {
  const bytes = randomBytes(100_000)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const path = await store.temporaryPath(); await writeFile(path, bytes); await store.keep('originals', path, sha256)
  await db.blob.create({ data: { sha256, md5: 'x', size: 100_000n, content_type: 'image/jpeg', ext: 'jpg', width: 1, height: 1 } })
}
await db.$executeRawUnsafe(`insert into audit_entry (actor, action, target) select 'zinc', 'measure.row', 'row ' || n || repeat('x', 300) from generate_series(1, 200000) n`)
await services[Symbol.asyncDispose]()
const time = (label: string, args: string[], e = env) => {
  const at = performance.now()
  try {
  const out = execFileSync(process.execPath, ['src/cli/main.ts', '--json', ...args], { env: { PATH: process.env.PATH, ...e } }).toString()
  console.log(label, Math.round(performance.now() - at), 'ms', out.slice(0, 300))
  } catch (error) { console.log(label, 'FAILED', String((error as { stdout: Buffer }).stdout), String((error as { stderr: Buffer }).stderr)) }
}
time('first', ['backup', `${root}/b`, '--with-keys'])
time('second', ['backup', `${root}/b`, '--with-keys'])
time('verify', ['backup', 'verify', `${root}/b`])
time('rehearse', ['backup', 'rehearse', `${root}/b`])
await mkdir(`${root}/place`); await chmod(`${root}/place`, 0o755)
time('restore', ['restore', `${root}/b`], { ...env, DATA_DIR: `${root}/place/data` })
console.log(execFileSync('du', ['-sh', `${root}/b`]).toString())
await rm(root, { recursive: true, force: true })
process.exit(0)
