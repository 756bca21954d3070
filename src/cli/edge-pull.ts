import { setTimeout as pause } from 'node:timers/promises'
import { LockedError } from '../edge-client/dir-lock.ts'
import { DiskFailure, onDisk } from '../edge-client/disk-failure.ts'
import { ForeignResponse, HttpError, NetworkError } from '../edge-client/http.ts'
import { type PullResult, pull, type ShareOptions } from '../edge-client/pull.ts'
import { DEFAULT_PORT, openSharing, type Sharing } from '../edge-client/sharing.ts'
import { makeFolder } from '../lib/data-dir.ts'
import { AppError, ServiceUnavailableError } from '../lib/errors.ts'
import { inEnglish, type MessageKey, message, messageAs } from '../messages/say.ts'
import type { PhotoVariant } from '../schemas/photo-sync.ts'
import { parseRateLimit } from '../schemas/rate-limit.ts'
import type { ExitStatus } from './context.ts'
import type { EdgeContext } from './edge.ts'
import { createDisplay, megabytes } from './edge-display.ts'
import type { HostAndPort } from './edge-options.ts'

export interface PullCall {
  server: string
  store: string
  dir: string
  variant?: PhotoVariant
  watch?: number
  verify?: boolean
  limit?: string
  adopt?: string
  share?: boolean
  listen?: HostAndPort
  peers?: string[]
}

/** Pulls once, or with `watch` until it is stopped. */
export async function runPull(call: PullCall & { token: string }, context: EdgeContext): Promise<ExitStatus> {
  let opened: Promise<Sharing> | undefined
  const share: ShareOptions = {
    always: call.share === true || call.listen !== undefined || call.peers !== undefined,
    open() {
      opened ??= openSharing({
        listen: call.listen ?? { host: '0.0.0.0', port: DEFAULT_PORT },
        peers: call.peers ?? [],
        discover: true,
        onWarning: (text) => context.say(`warning: ${text}`),
      })
      return opened
    },
  }
  try {
    return await pullAndWatch(call, share, context, () => opened)
  } finally {
    await (await opened)?.[Symbol.asyncDispose]()
  }
}

async function pullAndWatch(
  { watch, ...call }: PullCall & { token: string },
  share: ShareOptions,
  context: EdgeContext,
  sharing: () => Promise<Sharing> | undefined,
): Promise<ExitStatus> {
  for (;;) {
    const status = await onePull(call, share, context).catch((error: unknown) => {
      // A watch ends by being stopped, whatever it was doing.
      if (watch !== undefined && context.signal.aborted) return 0 as const
      // A watch continues while the server is unavailable for hours or the store is paused, but not
      // with a refused token.
      if (watch === undefined || !(error instanceof ServiceUnavailableError)) throw error
      context.say(`${error.message}; retrying in ${watch} s`)
      return 1 as const
    })
    if (watch === undefined) return status
    if (context.signal.aborted) return 0
    const stop = new AbortController()
    const signal = AbortSignal.any([context.signal, stop.signal])
    // A peer that asks for something new shortens the wait.
    await Promise.race([
      pause(watch * 1000, undefined, { signal }).catch(() => {}),
      (await sharing())?.woken(signal) ?? new Promise(() => {}),
    ])
    stop.abort()
    if (context.signal.aborted) return 0
  }
}

async function onePull(
  { server, store, token, dir, variant, verify = false, limit, adopt }: PullCall & { token: string },
  share: ShareOptions,
  context: EdgeContext,
): Promise<ExitStatus> {
  const show = createDisplay(context)
  let result: PullResult
  try {
    await onDisk(() => makeFolder(dir)) // the pull's own mkdir would never end under /proc
    result = await pull({
      server,
      storeId: store,
      token,
      dir,
      variant: variant ?? null,
      verify,
      rateLimit: limit === undefined ? undefined : parseRateLimit(limit),
      adoptFrom: adopt,
      share,
      signal: context.signal,
      onProgress: show.progress,
      onFailedTry: show.failedTry,
      onWarning: (message) => show.line(`warning: ${message}`),
    })
  } catch (error) {
    throw inWords(error, dir)
  } finally {
    show.stop()
  }
  const { fetched, adopted, from_peers, bytes_from_peers, removed, unchanged, failed, bytes, cuts } = result
  for (const { photo_id, error } of failed.slice(0, 20)) context.say(`failed: ${photo_id}: ${error}`)
  context.result(
    { status: failed.length > 0 ? 'partial' : 'success', ...result },
    `${fetched} pulled (${megabytes(bytes)}), ${from_peers > 0 ? `${from_peers} of them from peers (${megabytes(bytes_from_peers)}), ` : ''}${adopted > 0 ? `${adopted} adopted, ` : ''}${removed} removed, ${unchanged} unchanged, ${failed.length} failed${cuts > 0 ? `, ${cuts} connection drops` : ''}`,
  )
  return failed.length > 0 ? 1 : 0
}

function inWords(error: unknown, dir: string): unknown {
  // A pause ends eventually, and then the watch continues.
  if (error instanceof HttpError && error.code === 'store_paused') return new ServiceUnavailableError(saidByServer(error), { cause: error })
  if (error instanceof HttpError)
    return new BadRequest(
      error.status === 401
        ? { ...saidByServer(error), remedy: 'Create a new token on the server: npx zinc token issue --store ID --name N' }
        : saidByServer(error),
      { cause: error },
    )
  if (error instanceof ForeignResponse) return new ServiceUnavailableError('foreign_response', { said: error.message }, { cause: error })
  if (error instanceof NetworkError) return new ServiceUnavailableError('network_error', { said: error.message }, { cause: error })
  // A watch continues: once there is room on the disk, the next pull resumes.
  if (error instanceof DiskFailure)
    return new ServiceUnavailableError(
      inEnglish(
        error.code === 'disk_full'
          ? message('disk_full.edge', { said: error.message, folder: dir })
          : messageAs(error.code, 'folder_not_writable', { said: error.message, folder: dir }),
      ),
      { cause: error },
    )
  if (error instanceof LockedError) return new BadRequest('folder_in_use', { said: error.message }, { cause: error })
  return error
}
const saidByServer = ({ code, message, remedy }: HttpError) => ({ code, message, remedy, params: {} })

class BadRequest<K extends MessageKey> extends AppError<K> {}
