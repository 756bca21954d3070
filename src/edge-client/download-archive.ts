import { Readable } from 'node:stream'
import { extract } from 'tar-stream'
import type { z } from 'zod'
import { ArchiveErrors as ArchiveErrorsFile } from '../schemas/photo-sync.ts'
import { foreign } from './api-client.ts'
import { DiskFailure } from './disk-failure.ts'
import type { DownloadDeps } from './download-photo.ts'
import { ForeignResponse, NetworkError } from './http.ts'
import { ChecksumError } from './photo-files.ts'
import type { PendingDownload } from './state.ts'

/** Photos that the server could not send, with its code. */
export type ArchiveErrors = z.infer<typeof ArchiveErrorsFile>

/** The response is an archive by its headers, and then ends early or cannot be read. */
export class UnreadableArchive extends NetworkError {}

const TYPES: Record<string, string> = { jpg: 'image/jpeg', png: 'image/png', gif: 'image/gif', webp: 'image/webp', avif: 'image/avif' }
/**
 * Photos that are written while the next ones arrive: waiting for the disk must not stall the
 * connection.
 */
const WRITING = 8
/**
 * Larger photos are downloaded singly, as a stream. The size in an entry's header is never
 * allocated beyond this.
 */
export const MAX_ENTRY_BYTES = 64 * 1024 * 1024

/**
 * Downloads many photos as one tar. Each is shown as soon as it is complete and verified; an
 * interruption loses nothing before it, and keeps the partial photo for later. Throws NetworkError:
 * ForeignResponse and UnreadableArchive where single downloads may work better.
 */
export async function downloadArchive(
  { api, files, variant, gzip = false, received, finish }: DownloadDeps,
  pending: PendingDownload[],
  onBeginning: (item: PendingDownload) => void,
): Promise<ArchiveErrors> {
  const byId = new Map(pending.map((item) => [item.id, item]))
  let errors: ArchiveErrors = []
  const stream = await api.archive([...byId.keys()], { variant, gzip })
  const type = stream.header('content-type') ?? ''
  if (stream.status !== 200 || !/^$|tar\b|octet-stream/i.test(type)) {
    stream.cancel()
    throw new ForeignResponse(foreign(stream))
  }
  const tar = extract()
  const source = Readable.from(stream.chunks)
  source.once('error', (error) => tar.destroy(error))
  source.pipe(tar)

  const writing = new Set<Promise<void>>()
  let failed: unknown
  /** Useful entries: an archive without any does not count as one. */
  let useful = 0
  async function keep(item: PendingDownload, bytes: Buffer, contentType: string): Promise<void> {
    try {
      await finish(item, () => files.put(item, bytes, contentType))
    } catch (error) {
      // Replaced since it was listed, or damaged: it stays pending and is requested singly.
      if (!(error instanceof ChecksumError)) failed ??= error
    }
  }
  try {
    for await (const entry of tar) {
      const { name, size = 0 } = entry.header
      const [id = '', ext = ''] = name.split('.')
      const item = byId.get(id)
      // A photo of another size was replaced since it was listed. Nothing is allocated for entries
      // that were not requested.
      if (size > MAX_ENTRY_BYTES || (name !== 'errors.json' && (!item || size !== item.size))) {
        for await (const _ of entry);
        continue
      }
      const bytes = Buffer.allocUnsafeSlow(size)
      let came = 0
      try {
        for await (const chunk of entry as AsyncIterable<Uint8Array>) {
          bytes.set(chunk, came)
          came += chunk.length
          if (item) received(chunk.length)
        }
      } catch (error) {
        if (item && came > 0) {
          await files.putPart(item, bytes.subarray(0, came))
          onBeginning(item)
        }
        throw error
      }
      useful++
      if (name === 'errors.json') errors = ArchiveErrorsFile.parse(JSON.parse(bytes.toString('utf8')))
      else if (item) {
        const work: Promise<void> = keep(item, bytes, TYPES[ext] ?? 'application/octet-stream').finally(() => writing.delete(work))
        writing.add(work)
        if (writing.size >= WRITING) await Promise.race(writing)
      }
      if (failed) throw failed
    }
    if (useful === 0) throw new UnreadableArchive('The archive holds none of the photos that were asked for')
  } catch (error) {
    source.destroy()
    if (failed) throw failed
    // Our own error is not the network's: it would occur again on every retry, without end.
    if (error instanceof TypeError || error instanceof RangeError || error instanceof DiskFailure) throw error
    if (error instanceof UnreadableArchive) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new UnreadableArchive(error instanceof NetworkError ? why : `The archive cannot be read: ${why}`, { cause: error })
  } finally {
    await Promise.all(writing)
  }
  if (failed) throw failed
  return errors
}
