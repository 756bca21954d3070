#!/usr/bin/env node
// `npx zinc`. Plain JavaScript: the Node that runs this may be too old to read TypeScript, and then hands over to the one that zinc brings.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const home = join(dirname(fileURLToPath(import.meta.url)), '..')
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const cli = join(home, 'src', 'cli.ts')

if (major > 22 || (major === 22 && minor >= 18)) {
  await import('./compile-cache.js')
  const { runCli } = await import(cli)
  process.exit(await runCli(process.argv.slice(2), process.env))
} else {
  const own = join(home, 'node_modules', '.bin', 'node')
  if (!existsSync(own)) {
    console.error('zinc needs Node 22.18 or newer. Run `npm ci` in its folder: it brings one.')
    process.exit(1)
  }
  const child = spawn(own, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}
