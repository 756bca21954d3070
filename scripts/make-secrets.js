// Makes the files in secrets/ that compose.yaml names, and leaves those that are there as they are.
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))

const DIR = 'secrets'
mkdirSync(DIR, { recursive: true, mode: 0o700 })

function make(name, value) {
  const path = join(DIR, name)
  if (existsSync(path)) return readFileSync(path, 'utf8').trim()
  // Containers read it as an account of their own; the folder keeps everybody else out.
  writeFileSync(path, `${value}\n`, { mode: 0o644, flag: 'wx' })
  console.log(`made ${path}`)
  return value
}

const key = () => randomBytes(32).toString('base64')
const password = () => randomBytes(18).toString('base64url')

make('admin_password', password())
make('credentials_key', key())
make('jwt_secret', key())
make('metrics_token', password())
make('grafana_password', password())
const postgres = make('postgres_password', password())
make('database_url', `postgresql://zinc:${encodeURIComponent(postgres)}@postgres:5432/zinc`)
