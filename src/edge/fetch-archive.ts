import { Readable } from 'node:stream'
import { extract } from 'tar-stream'
import type { z } from 'zod'
import { ArchiveErrors as ArchiveErrorsFile } from '../contract/photo-sync.ts'
import type { FetchDeps } from './fetch-photo.ts'
import { LineFailure } from './line.ts'
import { WrongBytes } from './photo-files.ts'
import type { Wanted } from './state.ts'

/** Photos that the server could not give, with its code. */
export type ArchiveErrors = z.infer<typeof ArchiveErrorsFile>

const TYPES: Record<string, string> = { jpg: 'image/jpeg', png: 'image/png', gif: 'image/gif', webp: 'image/webp', avif: 'image/avif' }
/** Photos that are being written while the next ones arrive: the disk's wait for each must not hold back the line. */
const WRITING = 8

/**
 * Fetches many photos as one tar. Each is shown as soon as it is whole and verified; a cut loses nothing of what came before it, and the photo in which
 * it fell is kept as a beginning. Throws LineFailure.
 */
export async function fetchArchive(
  { office, files, variant, received, settle }: FetchDeps,
  wants: Wanted[],
  onBeginning: (want: Wanted) => void,
): Promise<ArchiveErrors> {
  const byId = new Map(wants.map((want) => [want.id, want]))
  let errors: ArchiveErrors = []
  const { chunks } = await office.archive([...byId.keys()], { variant })
  const tar = extract()
  const source = Readable.from(
    (async function* () {
      for await (const chunk of chunks) {
        received(chunk.length)
        yield chunk
      }
    })(),
  )
  source.once('error', (error) => tar.destroy(error))
  source.pipe(tar)

  const writing = new Set<Promise<void>>()
  let failed: unknown
  async function keep(want: Wanted, bytes: Buffer, contentType: string): Promise<void> {
    try {
      await settle(want, () => files.put(want, bytes, contentType))
    } catch (error) {
      // Replaced since it was listed, or damaged: it stays wanted, and is asked for alone.
      if (!(error instanceof WrongBytes)) failed ??= error
    }
  }
  try {
    for await (const entry of tar) {
      const { name } = entry.header
      const [id = '', ext = ''] = name.split('.')
      const want = byId.get(id)
      const bytes = Buffer.allocUnsafeSlow(entry.header.size ?? 0)
      let came = 0
      try {
        for await (const chunk of entry as AsyncIterable<Uint8Array>) {
          bytes.set(chunk, came)
          came += chunk.length
        }
      } catch (error) {
        if (want && came > 0) {
          await files.putPart(want, bytes.subarray(0, came))
          onBeginning(want)
        }
        throw error
      }
      if (name === 'errors.json') errors = ArchiveErrorsFile.parse(JSON.parse(bytes.toString('utf8')))
      else if (want) {
        const work: Promise<void> = keep(want, bytes, TYPES[ext] ?? 'application/octet-stream').finally(() => writing.delete(work))
        writing.add(work)
        if (writing.size >= WRITING) await Promise.race(writing)
      }
      if (failed) throw failed
    }
  } catch (error) {
    source.destroy()
    // A fault of ours is no fault of the line: tried again, it would be met again, without end.
    if (error instanceof TypeError || error instanceof RangeError) throw error
    throw error instanceof LineFailure || failed ? (failed ?? error) : new LineFailure('The archive ended in the middle', { cause: error })
  } finally {
    await Promise.all(writing)
  }
  if (failed) throw failed
  return errors
}
