// `npm run slim` removes what only building, testing and the embedded PostgreSQL need. What is left
// serves a DATABASE_URL with the machine's own Node. `npm ci` brings everything back.
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isNodeTooOld } from '../bin/check-install.js'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))

if (!existsSync(join('dist', 'server.js'))) {
  console.error('There is no build to keep. Run `npm ci` first, then `npm run slim`.')
  process.exit(1)
}

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
const needed = neededAtRunTime()
for (const path of Object.keys(packages)) if (path !== '' && !needed.has(path)) rmSync(path, { recursive: true, force: true })
removeBrokenLinks(join('node_modules', '.bin'))
for (const leftover of ['.vite', '.vitest-cache', '.cache', '.package-lock.json'])
  rmSync(join('node_modules', leftover), { recursive: true, force: true })
removeOtherQueryCompilers()

console.log('Left: a server for DATABASE_URL, without embedded PostgreSQL and build tools.')
if (isNodeTooOld) console.log('Start it with Node 22.18 or newer: `node bin/server.js`.')

/**
 * Paths of the packages that `dependencies` reach. npm's own prune keeps peer dependencies, and
 * with
 * them all of Prisma's command line.
 */
function neededAtRunTime() {
  const found = new Set()
  const add = (name, from) => {
    const path = resolve(name, from)
    if (path === null || found.has(path)) return
    found.add(path)
    const { dependencies = {}, optionalDependencies = {} } = packages[path]
    for (const each of Object.keys({ ...dependencies, ...optionalDependencies })) add(each, path)
  }
  for (const name of Object.keys(packages[''].dependencies)) add(name, '')
  return found
}

/** As Node does: the nearest node_modules, then those further out. */
function resolve(name, from) {
  for (let base = from; ; base = base.slice(0, base.lastIndexOf('node_modules')).replace(/\/$/, '')) {
    const path = `${base === '' ? '' : `${base}/`}node_modules/${name}`
    if (path in packages) return path
    if (base === '') return null
  }
}

function removeBrokenLinks(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (lstatSync(path).isSymbolicLink() && !existsSync(path)) rmSync(path)
  }
}

/** Prisma ships a query compiler for each database it knows, in two sizes and two formats. */
function removeOtherQueryCompilers() {
  const runtime = join('node_modules', '@prisma', 'client', 'runtime')
  for (const file of readdirSync(runtime)) {
    if (file.startsWith('query_compiler') && !file.startsWith('query_compiler_small_bg.postgresql')) rmSync(join(runtime, file))
  }
}
