import type { PhotoVariant } from '../schemas/photo-sync.ts'
import { foreign, type HeadOffice, type Stream } from './api-client.ts'
import { ForeignResponse, LineFailure } from './http.ts'
import { type PhotoFiles, WrongBytes } from './photo-files.ts'
import type { Held, Wanted } from './state.ts'

export interface FetchDeps {
  office: HeadOffice
  files: PhotoFiles
  variant: PhotoVariant | null
  /** Bytes that arrived with pictures, whatever becomes of them. */
  received(bytes: number): void
  /** Shows a photo whose bytes are here, unless it was listed again or removed while they came. */
  settle(want: Wanted, show: () => Promise<Held>): Promise<void>
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
function factsOf(stream: Stream, want: Wanted, from: number): PhotoFacts {
  const { status, headers } = stream
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() || want.content_type
  const sha256 = headers.get('x-checksum-sha256') ?? want.sha256
  if (status !== 200 && status !== 206) throw new ForeignResponse(foreign(stream))
  if (!type || !(type.startsWith('image/') || type === 'application/octet-stream')) throw new ForeignResponse(foreign(stream))
  if (sha256 === null || !SHA256.test(sha256)) throw new ForeignResponse(foreign(stream))
  // Of a body that was compressed on the way the header counts other bytes than those that arrive here.
  const length = headers.get('content-encoding') === null ? Number(headers.get('content-length') ?? Number.NaN) : Number.NaN
  const announced = Number.isInteger(length) ? (status === 206 ? from : 0) + length : null
  const version = Number(headers.get('x-version') ?? want.version)
  return {
    sha256,
    contentType: type,
    version: Number.isInteger(version) ? version : want.version,
    size: sha256 === want.sha256 ? (want.size ?? announced) : announced,
  }
}

/**
 * Fetches one photo, continuing where an earlier try was cut. What the response says of its bytes is what they are checked against: the photo
 * may have been replaced since it was listed. `onLength`: how many of its bytes are here. Throws LineFailure (with what came kept), Refused, WrongBytes.
 */
export async function fetchPhoto(
  { office, files, variant, received, settle }: FetchDeps,
  want: Wanted,
  onLength: (bytes: number) => void,
): Promise<void> {
  const incoming = await files.begin(want)
  let finished = false
  try {
    const stream = await office.download(want.id, { variant, from: incoming.from, sha256: want.sha256 })
    let facts: PhotoFacts
    try {
      facts = factsOf(stream, want, incoming.from)
    } catch (error) {
      await stream.cancel()
      throw error
    }
    let length = incoming.from
    if (stream.status !== 206 && length > 0) {
      await incoming.restart()
      length = 0
    }
    const most = facts.size ?? MAX_PHOTO_BYTES
    for await (const chunk of stream.chunks) {
      length += chunk.length
      received(chunk.length)
      if (length > most) throw new WrongBytes('More bytes came than were announced')
      await incoming.append(chunk)
      onLength(length)
    }
    if (facts.size !== null && length < facts.size) throw new LineFailure(`The line was cut: ${length} of ${facts.size} bytes came`)
    await settle(want, () => {
      finished = true
      return incoming.finish(facts)
    })
  } finally {
    if (!finished) await incoming.pause()
  }
}
