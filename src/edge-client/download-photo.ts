import type { PhotoVariant } from '../schemas/photo-sync.ts'
import { type ApiClient, foreign, type Stream } from './api-client.ts'
import { ForeignResponse, NetworkError } from './http.ts'
import { ChecksumError, type PhotoFiles } from './photo-files.ts'
import type { PendingDownload, StoredPhoto } from './state.ts'

export interface DownloadDeps {
  api: ApiClient
  files: PhotoFiles
  variant: PhotoVariant | null
  /** Bytes that arrived with pictures, whatever becomes of them. */
  received(bytes: number): void
  /** Shows a photo whose bytes are here, unless it was listed again or removed while they came. */
  finish(pending: PendingDownload, show: () => Promise<StoredPhoto>): Promise<void>
}

/** A photo whose size nobody said is not taken beyond this. */
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
 * What a download says of its bytes; what a proxy took out of the headers is taken from the list. Throws ForeignResponse for anything that
 * is no picture: a page that a filter sends with status 200 must not count as bytes of one.
 */
function factsOf(stream: Stream, pending: PendingDownload, from: number): PhotoFacts {
  const { status, headers } = stream
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() || pending.content_type
  const sha256 = headers.get('x-checksum-sha256') ?? pending.sha256
  if (status !== 200 && status !== 206) throw new ForeignResponse(foreign(stream))
  if (!type || !(type.startsWith('image/') || type === 'application/octet-stream')) throw new ForeignResponse(foreign(stream))
  if (sha256 === null || !SHA256.test(sha256)) throw new ForeignResponse(foreign(stream))
  // Of a body that was compressed on the way the header counts other bytes than those that arrive here.
  const length = headers.get('content-encoding') === null ? Number(headers.get('content-length') ?? Number.NaN) : Number.NaN
  const announced = Number.isInteger(length) ? (status === 206 ? from : 0) + length : null
  const version = Number(headers.get('x-version') ?? pending.version)
  return {
    sha256,
    contentType: type,
    version: Number.isInteger(version) ? version : pending.version,
    size: sha256 === pending.sha256 ? (pending.size ?? announced) : announced,
  }
}

/**
 * Fetches one photo, continuing where an earlier try was cut. What the response says of its bytes is what they are checked against: the photo
 * may have been replaced since it was listed. `onLength`: how many of its bytes are here. Throws NetworkError (with what came kept), HttpError, ChecksumError.
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
      await stream.cancel()
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
