// Plain JavaScript that any Node reads: it explains why zinc cannot start where an install step was skipped.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const HOME = dirname(dirname(fileURLToPath(import.meta.url)))
/** The Node that zinc brings; it comes first in every npm script. */
export const OWN_NODE = join(HOME, 'node_modules', '.bin', 'node')

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
export const isNodeTooOld = major < 22 || (major === 22 && minor < 18)

/** What is missing and the command that installs it, as lines for a terminal; null when nothing is. */
export function missingInstallStep() {
  if (!existsSync(join(HOME, 'node_modules', 'fastify'))) return 'Its packages are not installed.\nRun `npm ci` in its folder.'
  if (isNodeTooOld && !existsSync(OWN_NODE))
    return `It needs Node 22.18 or newer, and this is ${process.versions.node}. Its own Node 24 is not installed (npm left out optional packages?).\nRun \`npm ci --include=optional\` in its folder, or install a newer Node.`
  if (!existsSync(join(HOME, 'dist', 'server.js')))
    return 'It is not built yet (npm skipped the build?).\nRun `npm run build` in its folder.'
  return null
}

/** Ends the process with status 1 and the reason when an install step was skipped. */
export function exitUnlessInstalled() {
  const missing = missingInstallStep() ?? (isNodeTooOld ? tooOld() : null)
  if (missing === null) return
  console.error(`zinc cannot start: ${missing}`)
  process.exit(1)
}

const tooOld = () =>
  `It needs Node 22.18 or newer, and this is ${process.versions.node}.\nStart it with \`npm start\`, which uses the Node 24 in its folder.`
