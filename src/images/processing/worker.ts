// A separate process, since libvips parses untrusted bytes: it has no secrets, handles one image at
// a time and can be killed.
import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import sharp, { type Sharp } from 'sharp'
import type { Message } from '../../messages/message.ts'
import { message } from '../../messages/say.ts'
import { BmpError, decodeBmp } from './bmp.ts'
import { checkIntegrity } from './detect-truncation.ts'
import { detectFileType, type FileType, FORMATS } from './file-type.ts'
import type { MadeVariant, VariantJob, WorkerRequest, WorkerResponse } from './worker-pool.ts'

sharp.concurrency(1)
sharp.cache(false)
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['VipsForeignLoadJpeg', 'VipsForeignLoadPng', 'VipsForeignLoadWebp', 'VipsForeignLoadNsgif', 'VipsForeignLoadHeif'],
})

/**
 * libvips' memory is outside the JavaScript heap, so its limit is a check of the whole process; the
 * parent's timeout is the other limit.
 */
const MAX_RSS_BYTES = Number(process.env.MAX_RSS_BYTES)
const LOOK_EVERY_MS = 50
const HEAD_BYTES = 4096

/**
 * If the machine runs out of memory, the kernel kills this process and not the server. Only Linux
 * has this, and it may refuse.
 */
try {
  writeFileSync('/proc/self/oom_score_adj', '900')
} catch {}

class InvalidInputError extends Error {
  readonly refused: Message
  constructor(refused: Message) {
    super(refused.code)
    this.refused = refused
  }
}

const CUT = () => new InvalidInputError(message('truncated'))
const HEIC = () => new InvalidInputError(message('unsupported_format.heic'))

/**
 * Probing and decoding share these limits, so that no size passes the one and fails the other. One
 * page: the first frame of an animation.
 */
const openImage = (input: Buffer, { maxPixels }: { maxPixels: number }, failOn: 'truncated' | 'none'): Sharp =>
  sharp(input, { limitInputPixels: maxPixels, failOn, pages: 1 })

/** BMP, which libvips does not read without ImageMagick, is stored as PNG. */
async function bmpToPng(bytes: Buffer, job: WorkerRequest): Promise<Buffer> {
  const { data, width, height, channels } = decodeBmp(bytes, (w, h) => checkSize(w, h, job))
  const png = await sharp(data, { raw: { width, height, channels } }).png().toBuffer()
  if (job.convertedTo) {
    // A killed attempt may have left a read-only file.
    rmSync(job.convertedTo, { force: true })
    writeFileSync(job.convertedTo, png, { mode: 0o444 })
  }
  return png
}

function checkSize(width: number, height: number, { maxPixels, maxSide }: WorkerRequest): void {
  if (width < 1 || height < 1) throw new InvalidInputError(message('corrupt.no_size'))
  if (width * height > maxPixels) throw new InvalidInputError(message('too_many_pixels', { width, height, max_pixels: maxPixels }))
  if (width > maxSide || height > maxSide) throw new InvalidInputError(message('side_too_long', { width, height, max_side: maxSide }))
}

/**
 * Files are read and written synchronously: nothing else waits in this process, and moving each
 * call to another thread costs more than the call.
 */
async function inspectAndShrink(job: WorkerRequest): Promise<WorkerResponse> {
  let input: Buffer = readFileSync(job.path)
  let format: FileType = detectFileType(input.subarray(0, HEAD_BYTES))
  if (format === 'not_an_image') throw new InvalidInputError(message('not_an_image'))
  if (format === 'unsupported') throw new InvalidInputError(message('unsupported_format'))
  const converted = format === 'bmp'
  if (format === 'bmp') {
    input = await bmpToPng(input, job).catch((error: unknown) => {
      if (error instanceof InvalidInputError) throw error
      throw error instanceof BmpError ? new InvalidInputError(error.refused) : new InvalidInputError(message('corrupt.bmp'))
    })
    format = 'png'
  }
  const ending = checkIntegrity(format, input)
  const facts = await openImage(input, job, 'truncated')
    .metadata()
    .catch((error: Error) => {
      const refused = refusedBy(error, job, 'corrupt')
      throw refused.refused.code === 'corrupt' && ending === 'cut' ? CUT() : refused
    })
  // The container's brands may be wrong; the decoder knows the codec inside.
  if (facts.format === 'heif' && facts.compression !== 'av1') throw HEIC()
  const { width } = facts.autoOrient
  const height = facts.pageHeight ?? facts.autoOrient.height
  // Both checks are needed: an image of one pixel by 200,000 passes every limit of pixels.
  checkSize(width, height, job)
  const frames = facts.pages ?? 1
  if (frames > 1 && frames * facts.width * (facts.pageHeight ?? facts.height) > job.maxPixels)
    throw new InvalidInputError(message('too_many_pixels.frames'))

  // After the size check: for a truncated image that is also too large, the size is the more useful
  // error.
  if (ending === 'cut' && !job.acceptDamaged) throw CUT()
  if (ending === 'corrupt' && !job.acceptDamaged) throw new InvalidInputError(message('corrupt.checksum'))

  let damaged = ending !== 'whole'
  const { variants, transparent } = await shrink(input, job, 'truncated').catch((error: unknown) => {
    const refused = error instanceof InvalidInputError ? error : refusedBy(error, job, 'truncated or corrupt')
    if (!job.acceptDamaged || refused.refused.code === 'too_many_pixels') throw refused
    damaged = true
    return shrink(input, job, 'none').catch(() => {
      throw refused
    })
  })
  const { ext, contentType } = FORMATS[format as keyof typeof FORMATS]
  return {
    ok: true,
    image: {
      ext,
      content_type: contentType,
      width,
      height,
      frames,
      size: input.length,
      damaged,
      transparent,
      ...(converted && { converted: hashes(input) }),
    },
    variants,
  }
}

/**
 * All output is sRGB, whatever profile or colour space the input has: that is sharp's own rule. The
 * original is decoded once and shrunk while it loads; the smaller variants come from the pixels of
 * the largest, not from its encoded bytes with their loss.
 */
async function shrink(
  input: Buffer,
  job: WorkerRequest,
  failOn: 'truncated' | 'none',
): Promise<{ variants: MadeVariant[]; transparent: boolean }> {
  const largest = job.through ?? Math.max(...job.variants.map(({ side }) => side), 1)
  const { data, info } = await openImage(input, job, failOn)
    .autoOrient()
    .resize(largest, largest, { fit: 'inside', withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true })
  const raw = { width: info.width, height: info.height, channels: info.channels }
  const variants = await Promise.all(
    job.variants.map(async (variant) => {
      const pixels = sharp(data, { raw })
      if (Math.max(info.width, info.height) > variant.side) pixels.resize(variant.side, variant.side, { fit: 'inside' })
      const { data: encoded, info: made } = await encode(pixels, variant).toBuffer({ resolveWithObject: true })
      writeFileSync(variant.output, encoded)
      return {
        name: variant.name,
        format: variant.format,
        width: made.width,
        height: made.height,
        size: encoded.length,
        ...hashes(encoded),
      }
    }),
  )
  return { variants, transparent: isTransparent(data, info.channels) }
}

/** Many images have an alpha channel and do not use it. */
function isTransparent(pixels: Buffer, channels: number): boolean {
  if (channels !== 2 && channels !== 4) return false
  for (let at = channels - 1; at < pixels.length; at += channels) if (pixels[at] !== 255) return true
  return false
}

function encode(pixels: Sharp, { format, quality, effort }: VariantJob): Sharp {
  if (format === 'webp') return pixels.webp({ quality, effort })
  if (format === 'avif') return pixels.avif({ quality, effort })
  if (format === 'png') return pixels.png({ effort })
  // JPEG has no transparency; white is what shops show behind it.
  return pixels.flatten({ background: '#fff' }).jpeg({ quality })
}

/** Maps libvips' messages to the contract's codes. */
function refusedBy(error: unknown, { maxPixels }: WorkerRequest, otherwise: 'corrupt' | 'truncated or corrupt'): InvalidInputError {
  const text = error instanceof Error ? error.message : ''
  // HEVC with AVIF's brand first is taken for AVIF until it is decoded.
  if (/compression format has not been built in/i.test(text)) return HEIC()
  if (/pixel limit/i.test(text)) return new InvalidInputError(message('too_many_pixels.unmeasured', { max_pixels: maxPixels }))
  if (otherwise !== 'corrupt' && /premature|truncat|end of/i.test(text)) return new InvalidInputError(message('truncated.while_decoding'))
  return new InvalidInputError(message('corrupt'))
}

const hashes = (bytes: Buffer) => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  md5: createHash('md5').update(bytes).digest('hex'),
})

process.on('message', (job: WorkerRequest) => {
  const watch = setInterval(() => {
    if (process.memoryUsage.rss() > MAX_RSS_BYTES) process.exit(137)
  }, LOOK_EVERY_MS)
  inspectAndShrink(job)
    .catch(
      (error: unknown): WorkerResponse =>
        error instanceof InvalidInputError ? { ok: false, refused: error.refused } : { ok: false, refused: message('corrupt.unreadable') },
    )
    .then((result) => {
      clearInterval(watch)
      process.send?.(result)
    })
})
process.on('disconnect', () => process.exit(0))
