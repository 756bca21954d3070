import { BadRequestError } from '../../lib/errors.ts'

/**
 * Reads `s3://BUCKET/PREFIX`; the prefix ends with a slash or is empty. Throws BadRequestError
 * `invalid_bucket_url`.
 */
export function parseBucketUrl(url: string): { bucket: string; prefix: string } {
  const [, bucket, prefix = ''] = /^s3:\/\/([^/?#]+)\/?(.*)$/.exec(url) ?? []
  if (bucket === undefined) throw new BadRequestError('invalid_bucket_url', { url: url.slice(0, 200) })
  return { bucket, prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/` }
}
