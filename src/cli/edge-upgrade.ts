import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { buffer as readAll } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { onDisk } from '../edge-client/disk-failure.ts'
import { sendRequest } from '../edge-client/http-request.ts'
import { ServiceUnavailableError } from '../lib/errors.ts'

const run = promisify(execFile)

const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
/** For the file, and for the question whether it runs. */
const TIME_LIMIT_MS = 120_000

/**
 * Replaces the one-file client `file` by the one that head office serves, if that one runs here.
 * Returns its SHA-256, and whether it is another one. Throws ServiceUnavailableError, DiskFailure.
 */
export async function upgradeClient(
  { server, file }: { server: string; file: string },
  signal: AbortSignal,
): Promise<{ sha256: string; changed: boolean }> {
  const path = await realpath(file)
  const fresh = `${path}.new`
  const bytes = await download(`${server.replace(/\/+$/, '')}/downloads/zinc-edge.js`, signal)
  const sha256 = sha256Of(bytes)
  if (sha256 === sha256Of(await readFile(path))) return { sha256, changed: false }
  try {
    const { mode } = await stat(path)
    await onDisk(async () => {
      await rm(fresh, { force: true })
      await writeFile(fresh, bytes, { flag: 'wx', mode: mode & 0o777 })
    })
    // A Node that is too old for it keeps the one that works.
    await run(process.execPath, [fresh, '--help'], { timeout: TIME_LIMIT_MS, signal }).catch((cause: Error) => {
      throw new ServiceUnavailableError(
        'edge_upgrade_failed',
        { problem: `it does not run here: ${cause.message.split('\n')[0]}` },
        { cause },
      )
    })
    await onDisk(() => rename(fresh, path))
  } finally {
    await rm(fresh, { force: true })
  }
  return { sha256, changed: true }
}

async function download(url: string, signal: AbortSignal): Promise<Buffer> {
  try {
    const response = await sendRequest(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT_MS)]) })
    const bytes = await readAll(response.body)
    // Head office names the hash of what it sends: a filter or a proxy in its place does not.
    if (response.status === 200 && response.header('x-checksum-sha256') === sha256Of(bytes)) return bytes
    throw new Error(`the response (${response.status}) is not the client of head office`)
  } catch (cause) {
    signal.throwIfAborted()
    throw new ServiceUnavailableError('edge_upgrade_failed', { problem: cause instanceof Error ? cause.message : String(cause) }, { cause })
  }
}
