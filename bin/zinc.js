#!/usr/bin/env node
// `npx zinc`. The Node that runs this may be too old for zinc; it then hands over to the one that zinc brings.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { isNodeTooOld, missingInstallStep, OWN_NODE } from './check-install.js'

const missing = missingInstallStep()
if (missing !== null) {
  console.error(`zinc cannot start: ${missing}`)
  process.exit(1)
}

if (isNodeTooOld) {
  const child = spawn(OWN_NODE, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
} else {
  await import('../dist/cli/main.js')
}
