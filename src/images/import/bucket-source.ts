import { Readable } from 'node:stream'
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { PayloadTooLargeError } from '../../lib/errors.ts'
import { message } from '../../messages/say.ts'
import { StorageUnavailableError } from '../storage/disk-space.ts'
import type { S3Settings } from '../storage/s3-store.ts'
import { parseBucketUrl } from './bucket-url.ts'
import { type ImportEntry, type ImportLimits, type ImportSource, MAX_ENTRIES, naturalOrder, storableName } from './source.ts'

export type BucketAccess = Omit<S3Settings, 'bucket'>

/**
 * Opens the objects below a prefix; nothing in the bucket is changed. Throws
 * StorageUnavailableError, PayloadTooLargeError `zip_too_large`.
 */
export async function openBucketFolder(url: string, access: BucketAccess, { fileBytes, totalBytes }: ImportLimits): Promise<ImportSource> {
  const { bucket: Bucket, prefix: Prefix } = parseBucketUrl(url)
  const { endpoint, region, accessKeyId, secretAccessKey, forcePathStyle } = access
  const client = new S3Client({
    region,
    forcePathStyle,
    ...(endpoint !== undefined && { endpoint }),
    ...(accessKeyId !== undefined && secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey } }),
    maxAttempts: 4,
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  const send = async <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((cause: Error) => {
      throw new StorageUnavailableError(cause.name === 'Error' ? cause.message : cause.name, cause)
    })
  try {
    const entries: ImportEntry[] = []
    for (let token: string | undefined; ; ) {
      const page = await send(
        client.send(new ListObjectsV2Command({ Bucket, Prefix, ...(token !== undefined && { ContinuationToken: token }) })),
      )
      for (const { Key, Size = 0 } of page.Contents ?? []) {
        if (Key === undefined || Key.endsWith('/')) continue
        if (entries.length >= MAX_ENTRIES) throw new PayloadTooLargeError('zip_too_large', { files: MAX_ENTRIES, total_bytes: totalBytes })
        entries.push({
          name: storableName(Key.slice(Prefix.length)),
          otherNames: [],
          size: Size,
          proven: false,
          problem: Size > fileBytes ? message('image_too_large.file', { max_bytes: fileBytes }) : null,
          open: async () => {
            const { Body } = await send(client.send(new GetObjectCommand({ Bucket, Key })))
            return Body instanceof Readable ? Body : Readable.from([])
          },
        })
      }
      token = page.NextContinuationToken
      if (token === undefined) break
    }
    entries.sort(naturalOrder)
    return { entries, [Symbol.asyncDispose]: async () => client.destroy() }
  } catch (error) {
    client.destroy()
    throw error
  }
}
