import { createReadStream, createWriteStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3'
import { type BlobStore, isContentName, type StoredKind } from './blob-store.ts'
import { StorageUnavailableError } from './disk-space.ts'
import { fileMissing } from './file-store.ts'
import { createTempFiles } from './temp-files.ts'

export interface S3Settings {
  endpoint: string | undefined
  region: string
  bucket: string
  accessKeyId: string | undefined
  secretAccessKey: string | undefined
  forcePathStyle: boolean
}

export interface S3Store<Kind extends string = StoredKind> extends BlobStore<Kind> {
  /**
   * A small text object of zinc's own, for example the bucket's id; null when it does not exist.
   */
  readText(name: string): Promise<string | null>
  writeText(name: string, text: string): Promise<void>
  /** Returns the names of the text objects that begin with `start`. */
  listTexts(start: string): Promise<string[]>
  removeText(name: string): Promise<void>
  close(): void
}

const TYPE = 'application/octet-stream'
/** The SDK retries automatically, but not what it sends from a stream. */
const PUT_TRIES = 4
const PUT_PAUSE_MS = 200
const nothing = () => {}
/**
 * Otherwise the SDK writes to the console about streams that it does not send again; zinc does, and
 * reports what fails.
 */
const SILENT = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing }
/** The SDK learns the bucket's clock from the refusal. */
const PASSING = new Set(['RequestTimeTooSkewed', 'RequestTimeout', 'SlowDown', 'BadDigest', 'TooManyRequestsException'])

/**
 * Bytes in a bucket, under the same names as on disk, so that several instances share them. A put
 * is by content and has its SHA-256, which the bucket checks: sent twice (after a lost response) it
 * is the same object. Files are first received and checked in a folder of this machine. `prefix`
 * begins the name of every object, with its slash at the end.
 */
export function createS3Store<Kind extends string = StoredKind>(
  settings: S3Settings,
  temporaryFolder: string,
  { prefix = '' }: { prefix?: string } = {},
): S3Store<Kind> {
  const keyOf = (kind: Kind, sha256: string) => `${prefix}${kind}/${sha256.slice(0, 2)}/${sha256}`
  const { bucket: Bucket, endpoint, region, accessKeyId, secretAccessKey, forcePathStyle } = settings
  const client = new S3Client({
    region,
    forcePathStyle,
    ...(endpoint !== undefined && { endpoint }),
    // Without keys the SDK's own credential chain (an instance role, for example) is used.
    ...(accessKeyId !== undefined && secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey } }),
    maxAttempts: 4,
    logger: SILENT,
    // Other servers than Amazon's do not support trailing checksums; ours is sent as a header.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  const temporary = createTempFiles(temporaryFolder)
  const isMissing = (error: unknown) =>
    error instanceof S3ServiceException &&
    (error.name === 'NoSuchKey' || error.name === 'NotFound' || error.$metadata.httpStatusCode === 404)

  const passes = (error: unknown) =>
    !(error instanceof S3ServiceException) || (error.$metadata.httpStatusCode ?? 500) >= 500 || PASSING.has(error.name)
  /** Maps errors of the bucket or the network to one error; `missing` is left to the caller. */
  const toStorageUnavailable = (cause: unknown) =>
    isMissing(cause) || !(cause instanceof Error)
      ? cause
      : new StorageUnavailableError(cause.name === 'Error' ? cause.message : cause.name, cause)
  const ask = <T>(response: Promise<T>): Promise<T> =>
    response.catch((cause: unknown) => {
      throw toStorageUnavailable(cause)
    })
  /**
   * A repeated put writes the same object, so a lost response does no harm. `body` opens the bytes
   * again for each attempt.
   */
  async function put(input: Omit<PutObjectCommandInput, 'Bucket' | 'Body'>, body: () => Readable | string): Promise<void> {
    for (let tries = 1; ; tries++) {
      const Body = body()
      try {
        await client.send(new PutObjectCommand({ ...input, Bucket, Body }))
        return
      } catch (error) {
        if (tries >= PUT_TRIES || !passes(error)) throw toStorageUnavailable(error)
        await pause(PUT_PAUSE_MS * 2 ** (tries - 1))
      } finally {
        if (typeof Body !== 'string') Body.destroy()
      }
    }
  }

  async function* objects(start: string) {
    for (let token: string | undefined; ; ) {
      const page = await ask(
        client.send(new ListObjectsV2Command({ Bucket, Prefix: prefix + start, ...(token !== undefined && { ContinuationToken: token }) })),
      )
      yield* page.Contents ?? []
      token = page.NextContinuationToken
      if (token === undefined) return
    }
  }

  const store: S3Store<Kind> = {
    backend: 's3',
    temporaryPath: () => temporary.path(),
    sweep: () => temporary.sweep(),
    localPath: () => null,
    async keep(kind, from, sha256) {
      const { size } = await stat(from)
      await put(
        {
          Key: keyOf(kind, sha256),
          ContentLength: size,
          ContentType: TYPE,
          ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
        },
        () => createReadStream(from),
      )
      await rm(from, { force: true })
    },
    async open(kind, sha256, range) {
      try {
        const { Body, ContentLength, ContentRange } = await client.send(
          new GetObjectCommand({ Bucket, Key: keyOf(kind, sha256), ...(range && { Range: `bytes=${range.start}-${range.end}` }) }),
        )
        // A range response has the total size after the slash.
        const size = ContentRange === undefined ? (ContentLength ?? 0) : Number(ContentRange.split('/')[1])
        return { size, stream: Body as Readable }
      } catch (cause) {
        throw isMissing(cause) ? fileMissing(cause) : toStorageUnavailable(cause)
      }
    },
    async openLocal(kind, sha256, signal) {
      const { stream } = await store.open(kind, sha256)
      const path = await temporary.path()
      try {
        await pipeline(stream, createWriteStream(path, { flags: 'wx' }), { signal })
      } catch (error) {
        await rm(path, { force: true })
        throw error
      }
      return { path, [Symbol.asyncDispose]: () => rm(path, { force: true }) }
    },
    async sizeOf(kind, sha256) {
      try {
        return (await client.send(new HeadObjectCommand({ Bucket, Key: keyOf(kind, sha256) }))).ContentLength ?? 0
      } catch (error) {
        if (isMissing(error)) return null
        throw toStorageUnavailable(error)
      }
    },
    async remove(kind, sha256) {
      await ask(client.send(new DeleteObjectCommand({ Bucket, Key: keyOf(kind, sha256) })))
    },
    async *list(kind, shard) {
      for await (const { Key, Size, LastModified } of objects(shard === undefined ? `${kind}/` : `${kind}/${shard}/`)) {
        const sha256 = Key?.split('/').at(-1) ?? ''
        if (isContentName(sha256)) yield { sha256, size: Size ?? 0, modified_at: LastModified ?? new Date() }
      }
    },
    space: async () => null,
    async readText(name) {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: prefix + name }))
        return (await Body?.transformToString()) ?? null
      } catch (error) {
        if (isMissing(error)) return null
        throw toStorageUnavailable(error)
      }
    },
    async writeText(name, text) {
      await put({ Key: prefix + name, ContentType: 'text/plain' }, () => text)
    },
    async listTexts(start) {
      const names: string[] = []
      for await (const { Key } of objects(start)) if (Key !== undefined) names.push(Key.slice(prefix.length))
      return names
    },
    async removeText(name) {
      await ask(client.send(new DeleteObjectCommand({ Bucket, Key: prefix + name })))
    },
    close: () => client.destroy(),
  }
  return store
}
