// Runs after `npm ci`: generates the database client and bundles the page, so that starting builds nothing.
// Plain JavaScript, since the machine's own Node may be too old to read TypeScript.
import { execFileSync } from 'node:child_process'
import { existsSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

const bin = (name) => join('node_modules', '.bin', name)

function run(program, args, env = {}) {
  execFileSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } })
}

// `prisma generate` only reads the schema, but its command line insists on a schema engine and would download one.
// Naming any existing program keeps it off the network.
run(process.execPath, [join('node_modules', 'prisma', 'build', 'index.js'), 'generate', '--no-hints'], {
  PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
  PRISMA_HIDE_UPDATE_MESSAGE: '1',
})

if (existsSync('src/web/vite.config.ts')) {
  run(existsSync(bin('node')) ? bin('node') : process.execPath, [
    join('node_modules', 'vite', 'bin', 'vite.js'),
    'build',
    '--config',
    'src/web/vite.config.ts',
  ])
}

// npm links the programs of a project's packages but not its own: this makes `npx zinc` work in this folder, without a look at any registry.
if (process.platform !== 'win32') {
  rmSync(bin('zinc'), { force: true })
  symlinkSync(join('..', '..', 'bin', 'zinc.js'), bin('zinc'))
}
