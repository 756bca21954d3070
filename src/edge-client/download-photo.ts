import type { PhotoVariant } from '../schemas/photo-sync.ts'
import { type ApiClient, foreign, type Stream } from './api-client.ts'
import { ForeignResponse, NetworkError } from './http.ts'
import { ChecksumError, type PhotoFiles } from './photo-files.ts'
import type { PendingDownload, StoredPhoto } from './state.ts'

export interface DownloadDeps {
  api: ApiClient
  files: PhotoFiles
  variant: PhotoVariant | null
  /** Asks for compressed archives. */
  gzip?: boolean
  /** Counts the image bytes that arrived, whatever happens to them. */
  received(bytes: number): void
  /** Shows a photo whose bytes are complete, unless it was listed again or removed meanwhile. */
  finish(pending: PendingDownload, show: () => Promise<StoredPhoto>): Promise<void>
}

/** A photo of unknown size is not accepted beyond this. */
const MAX_PHOTO_BYTES = 256 * 1024 * 1024
const SHA256 = /^[0-9a-f]{64}$/

interface PhotoFacts {
  sha256: string
  contentType: string
  version: number
  /** Null: unknown. */
  size: number | null
}

/**
 * Returns what a response says of its bytes; headers that a proxy removed are replaced from the
 * list. Throws ForeignResponse for anything that is not an image: a filter's page with status 200
 * must not count as image bytes.
 */
function factsOf(stream: Stream, pending: PendingDownload, from: number): PhotoFacts {
  const { status, header } = stream
  const type = header('content-type')?.split(';')[0]?.trim().toLowerCase() || pending.content_type
  const sha256 = header('x-checksum-sha256') ?? pending.sha256
  if (status !== 200 && status !== 206) throw new ForeignResponse(foreign(stream))
  if (!type || !(type.startsWith('image/') || type === 'application/octet-stream')) throw new ForeignResponse(foreign(stream))
  if (sha256 === null || !SHA256.test(sha256)) throw new ForeignResponse(foreign(stream))
  // With compression in between, the header counts other bytes than those that arrive here.
  const length = header('content-encoding') === null ? Number(header('content-length') ?? Number.NaN) : Number.NaN
  const announced = Number.isInteger(length) ? (status === 206 ? from : 0) + length : null
  const version = Number(header('x-version') ?? pending.version)
  return {
    sha256,
    contentType: type,
    version: Number.isInteger(version) ? version : pending.version,
    size: sha256 === pending.sha256 ? (pending.size ?? announced) : announced,
  }
}

/**
 * Downloads one photo, resuming where an earlier attempt was cut. The bytes are checked against the
 * response's own headers: the photo may have been replaced since it was listed. `onLength`: how
 * many of its bytes are stored. Throws NetworkError (keeping what arrived), HttpError,
 * ChecksumError.
 */
export async function downloadPhoto(
  { api, files, variant, received, finish }: DownloadDeps,
  pending: PendingDownload,
  onLength: (bytes: number) => void,
): Promise<void> {
  const incoming = await files.begin(pending)
  let finished = false
  try {
    const stream = await api.download(pending.id, { variant, from: incoming.from, sha256: pending.sha256 })
    let info: PhotoFacts
    try {
      info = factsOf(stream, pending, incoming.from)
    } catch (error) {
      stream.cancel()
      throw error
    }
    let length = incoming.from
    if (stream.status !== 206 && length > 0) {
      await incoming.restart()
      length = 0
    }
    const most = info.size ?? MAX_PHOTO_BYTES
    for await (const chunk of stream.chunks) {
      length += chunk.length
      received(chunk.length)
      if (length > most) throw new ChecksumError('More bytes came than were announced')
      await incoming.append(chunk)
      onLength(length)
    }
    if (info.size !== null && length < info.size) throw new NetworkError(`The line was cut: ${length} of ${info.size} bytes came`)
    await finish(pending, () => {
      finished = true
      return incoming.finish(info)
    })
  } finally {
    if (!finished) await incoming.pause()
  }
}
