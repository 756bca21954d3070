// `npm ci` runs this once: database client, server (dist/) and page (dist/web/). Starting then
// builds
// nothing. Plain JavaScript, since npm may run it with a Node that cannot read TypeScript.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { OWN_NODE, OWN_NODE_LINK } from '../bin/check-install.js'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))

const DIST = 'dist'
const STAGING = `dist.${process.pid}.tmp`
const ASSETS = join('web', 'assets')
/** Names the page's files of one build, so that the next build can keep exactly those. */
const ASSET_LIST = join('web', 'assets.json')
/** Examples of the API document. */
const EXAMPLES = join('http', 'plugins', 'openapi-examples.json')
const BIN = join('node_modules', '.bin')
const node = existsSync(OWN_NODE) ? OWN_NODE : process.execPath

const PRISMA = join('node_modules', 'prisma', 'build', 'index.js')
const TSC = join('node_modules', 'typescript', 'bin', 'tsc')
const REDOCLY = join('node_modules', '@redocly', 'cli', 'bin', 'cli.js')
const VITE = join('node_modules', 'vite', 'bin', 'vite.js')

function run(step, args, env = {}) {
  const { status, error, stdout, stderr } = spawnSync(node, args, { encoding: 'utf8', env: { ...process.env, ...env } })
  if (status === 0) return
  const reason = error ? error.message : `${stdout}${stderr}`
  fail(`The build stopped at the ${step}:\n${reason.trim()}\nRun \`npm ci\`, which installs the build tools and builds again.`)
}

function fail(message) {
  rmSync(STAGING, { recursive: true, force: true })
  console.error(message)
  process.exit(1)
}

if (![PRISMA, TSC, VITE, REDOCLY].every((path) => existsSync(path)))
  fail('The build tools are not installed (--omit=dev?). Run `npm ci`, then `npm run slim` for a small server.')

// `prisma generate` only reads the schema, but its command line insists on a schema engine and
// would
// download one. Naming any existing program keeps it off the network.
run('database client', [PRISMA, 'generate', '--no-hints'], {
  PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
  PRISMA_HIDE_UPDATE_MESSAGE: '1',
})
generateApiClient()
// Types are checked by `npm run typecheck`, so the compiler only translates here.
run('server', [TSC, '-p', 'tsconfig.build.json', '--outDir', STAGING, '--noCheck'])
cpSync(join('src', EXAMPLES), join(STAGING, EXAMPLES))
run('page', [VITE, 'build', '--config', 'src/web/vite.config.ts', '--outDir', join(process.cwd(), STAGING, 'web')], {
  // A caller's NODE_ENV=test would bundle React's development build.
  NODE_ENV: 'production',
})
run('edge client', [VITE, 'build', '--config', 'scripts/edge-client.vite.config.js', '--outDir', join(process.cwd(), STAGING, 'downloads')])
keepAssetsOfThePreviousBuild()
replaceDist()
linkCommands()

/** The client of `zinc/client`, made of `docs/openapi.json` alone: no network. */
function generateApiClient() {
  const folder = join('src', 'generated', 'api-client')
  const args = ['docs/openapi.json', '--output', join(folder, 'client.ts'), '--runtime', 'module', '--import-ext', 'ts']
  rmSync(folder, { recursive: true, force: true })
  run('API client', [REDOCLY, 'generate-client', ...args, '--args-style', 'grouped'], {
    REDOCLY_TELEMETRY: 'off',
    REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
  })
  // It names types of a browser, which the server is compiled without.
  for (const name of readdirSync(join(folder, 'runtime'))) {
    const path = join(folder, 'runtime', name)
    writeFileSync(path, `// @ts-nocheck\n${readFileSync(path, 'utf8')}`)
  }
}

/** A page that is open in a browser during an upgrade still loads the chunks of its own build. */
function keepAssetsOfThePreviousBuild() {
  const assets = readdirSync(join(STAGING, ASSETS))
  writeFileSync(join(STAGING, ASSET_LIST), JSON.stringify(assets))
  if (!existsSync(join(DIST, ASSET_LIST))) return
  for (const name of JSON.parse(readFileSync(join(DIST, ASSET_LIST), 'utf8'))) {
    const kept = join(DIST, ASSETS, name)
    if (!assets.includes(name) && existsSync(kept)) cpSync(kept, join(STAGING, ASSETS, name))
  }
}

/** Two renames: a running server sees the whole old build or the whole new one. */
function replaceDist() {
  const old = `dist.${process.pid}.old`
  if (existsSync(DIST)) renameSync(DIST, old)
  renameSync(STAGING, DIST)
  rmSync(old, { recursive: true, force: true })
}

/**
 * npm links the commands of a project's packages but not its own: this makes `npx zinc` work here.
 */
function linkCommands() {
  if (process.platform === 'win32') return
  mkdirSync(BIN, { recursive: true })
  relink(join('..', '..', 'bin', 'zinc.js'), join(BIN, 'zinc'))
  if (existsSync(OWN_NODE)) relink(relative(BIN, OWN_NODE), OWN_NODE_LINK)
}

function relink(target, path) {
  rmSync(path, { force: true })
  symlinkSync(target, path)
}
