// `npm run slim` removes what only building, testing and the embedded PostgreSQL need. What is left
// serves a DATABASE_URL with the machine's own Node. `npm ci` brings everything back.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))

const [major, minor] = process.versions.node.split('.').map(Number)

if (!existsSync(join('dist', 'server.js'))) {
  console.error('There is no build to keep. Run `npm ci` first, then `npm run slim`.')
  process.exit(1)
}

// --ignore-scripts: the build would run again, without its tools.
const { status } = spawnSync('npm', ['prune', '--omit=dev', '--ignore-scripts'], { stdio: 'inherit', shell: process.platform === 'win32' })
if (status !== 0) {
  console.error('npm could not remove the packages for development; see its error above.')
  process.exit(1)
}

const { optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
for (const name of Object.keys(optionalDependencies)) rmSync(join('node_modules', name), { recursive: true, force: true })
rmSync(join('node_modules', '.bin', 'node'), { force: true })

// Prisma ships a query compiler for each database it knows, in two sizes and two formats.
const runtime = join('node_modules', '@prisma', 'client', 'runtime')
for (const file of readdirSync(runtime)) {
  if (/^query_compiler/.test(file) && !/_small_bg\.postgresql\./.test(file)) rmSync(join(runtime, file))
}

console.log('Left: a server for DATABASE_URL, without embedded PostgreSQL and build tools.')
const isOldNode = major < 22 || (major === 22 && minor < 18)
if (isOldNode) console.log('It needs Node 22.18 or newer on this machine.')
