// `npm run pack`: what machines without zinc need, in pack/.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))

const OUT = 'pack'
const vite = join('node_modules', 'vite', 'bin', 'vite.js')
const args = [vite, 'build', '--config', 'scripts/edge-client.vite.config.js', '--outDir', OUT, '--emptyOutDir', '--logLevel', 'error']
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)
const file = join(OUT, 'zinc-edge.js')
const bytes = readFileSync(file)
console.log(`${file}  ${bytes.length} bytes  sha256 ${createHash('sha256').update(bytes).digest('hex')}`)
