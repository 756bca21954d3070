import { readFileSync } from 'node:fs'
import fp from 'fastify-plugin'
import { ServiceUnavailableError } from '../../lib/errors.ts'

/** Files that zinc itself keeps open: the database, Zoho, the decoders, the log. */
const OWN_FILES = 64
/**
 * So many more connections are still accepted, to get a 503; further ones are closed without a
 * response.
 */
const TOLD = 32

/** Each connection may need another file or connection, so each counts twice. */
const roomFor = (files: number): number => Math.max(16, Math.floor((files - OWN_FILES - TOLD) / 2))

/**
 * Returns how many files this process may open; null where the system does not say. Node has raised
 * it to the hard limit by now.
 */
function openFilesLimit(): number | null {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return limit === undefined ? null : Number(limit)
  } catch {
    return null
  }
}

/**
 * Keeps many connections from using every file that the process may open: without one left, zinc
 * could reach neither its database nor Zoho nor an image. Beyond the limit requests get 503 on a
 * connection that then closes.
 */
export const connectionLimit = fp<{ filesLimit?: number | null }>(
  async (app, { filesLimit = openFilesLimit() }) => {
    if (filesLimit === null) return
    const room = roomFor(filesLimit)
    let open = 0
    app.server.maxConnections = room + TOLD
    app.server.on('connection', (socket) => {
      open++
      socket.once('close', () => open--)
    })
    app.addHook('onRequest', async (request, reply) => {
      // Health is always reported.
      if (open <= room || request.url.startsWith('/health/')) return
      reply.header('connection', 'close')
      throw new ServiceUnavailableError('overloaded.connections', {}, { retryAfterMs: 5_000 })
    })
  },
  { name: 'open-connections' },
)
