import type { PhotoVariant } from '../contract/photo-sync.ts'
import type { HeadOffice } from './head-office.ts'
import { LineFailure } from './line.ts'
import type { PhotoFiles } from './photo-files.ts'
import type { Held, Wanted } from './state.ts'

export interface FetchDeps {
  office: HeadOffice
  files: PhotoFiles
  variant: PhotoVariant | null
  /** Bytes of pictures that arrived. */
  received(bytes: number): void
  /** Shows a photo whose bytes are here, unless it was listed anew or removed while they came. */
  settle(want: Wanted, show: () => Promise<Held>): Promise<void>
}

/**
 * Fetches one photo, going on where an earlier try was cut. What the answer says of its bytes is what they are checked against: the photo may have been
 * replaced since it was listed. Throws LineFailure (with what came kept), Refused, WrongBytes.
 */
export async function fetchPhoto({ office, files, variant, received, settle }: FetchDeps, want: Wanted): Promise<void> {
  const incoming = await files.begin(want)
  let finished = false
  try {
    const { status, headers, chunks } = await office.download(want.id, { variant, from: incoming.from, sha256: want.sha256 })
    if (status !== 206 && incoming.from > 0) await incoming.restart()
    const announced = Number(headers.get('content-length'))
    let came = 0
    for await (const chunk of chunks) {
      came += chunk.length
      received(chunk.length)
      await incoming.append(chunk)
    }
    if (headers.get('content-length') !== null && came !== announced) throw new LineFailure(`${came} of ${announced} bytes came`)
    const sha256 = headers.get('x-checksum-sha256')
    if (sha256 === null) throw new LineFailure('The answer carries no checksum; something on the way took it out')
    const facts = {
      sha256,
      contentType: headers.get('content-type') ?? 'application/octet-stream',
      version: Number(headers.get('x-version') ?? want.version),
    }
    await settle(want, () => {
      finished = true
      return incoming.finish(facts)
    })
  } finally {
    if (!finished) await incoming.pause()
  }
}
