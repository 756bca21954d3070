// A process of its own, since libvips reads bytes from outside: it holds no secrets, does one picture at a time and can be killed.
import { createHash } from 'node:crypto'
import { open, readFile, writeFile } from 'node:fs/promises'
import { decode as decodeBmp } from 'bmp-ts'
import sharp, { type Sharp } from 'sharp'
import type { DecodeAnswer, DecodeJob, MadeVariant } from './decoder.ts'
import { endsProperly, FORMATS, type Sniffed, sniff } from './judge.ts'

sharp.concurrency(1)
sharp.cache(false)
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['VipsForeignLoadJpeg', 'VipsForeignLoadPng', 'VipsForeignLoadWebp', 'VipsForeignLoadNsgif', 'VipsForeignLoadHeif'],
})

const TAIL_BYTES = 64 * 1024
const HEAD_BYTES = 4096

class Refused extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** The one way in: probing and decoding share these limits, so nothing passes the one and fails the other for its size. */
const openPicture = (input: string | Buffer, { maxPixels }: { maxPixels: number }): Sharp =>
  sharp(input, { limitInputPixels: maxPixels, failOn: 'truncated', pages: 1 })

async function ends(path: string): Promise<{ head: Buffer; tail: Buffer; size: number }> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const head = Buffer.alloc(Math.min(HEAD_BYTES, size))
    const tail = Buffer.alloc(Math.min(TAIL_BYTES, size))
    await file.read(head, 0, head.length, 0)
    await file.read(tail, 0, tail.length, size - tail.length)
    return { head, tail, size }
  } finally {
    await file.close()
  }
}

/** BMP, which libvips does not read without ImageMagick, becomes PNG; its header is checked before anything is allocated. */
async function bmpToPng(path: string, head: Buffer, job: DecodeJob): Promise<void> {
  const [width, height] =
    head.readUInt32LE(14) === 12
      ? [head.readUInt16LE(18), head.readUInt16LE(20)]
      : [Math.abs(head.readInt32LE(18)), Math.abs(head.readInt32LE(22))]
  checkSize(width, height, job)
  const { data, width: w, height: h } = decodeBmp(await readFile(path), { toRGBA: true })
  await writeFile(
    path,
    await sharp(data, { raw: { width: w, height: h, channels: 4 } })
      .flatten()
      .png()
      .toBuffer(),
  )
}

function checkSize(width: number, height: number, { maxPixels, maxSide }: DecodeJob): void {
  if (width < 1 || height < 1) throw new Refused('corrupt', 'The picture has no size')
  if (width * height > maxPixels) throw new Refused('too_many_pixels', `The picture is ${width} × ${height}, more than ${maxPixels} pixels`)
  if (width > maxSide || height > maxSide)
    throw new Refused('side_too_long', `The picture is ${width} × ${height}; no side may be longer than ${maxSide}`)
}

async function judgeAndShrink(job: DecodeJob): Promise<DecodeAnswer> {
  let { head, tail, size } = await ends(job.path)
  let format: Sniffed = sniff(head)
  if (format === 'not_an_image') throw new Refused('not_an_image', 'These bytes are not a picture')
  if (format === 'unsupported') throw new Refused('unsupported_format', 'This format is not taken; use JPEG, PNG, GIF, WebP, AVIF or BMP')
  const converted = format === 'bmp'
  if (converted) {
    await bmpToPng(job.path, head, job).catch((error: unknown) => {
      throw error instanceof Refused ? error : new Refused('corrupt', 'The BMP cannot be read')
    })
    format = 'png'
    ;({ head, tail, size } = await ends(job.path))
  }
  if (format === 'bmp') throw new Refused('corrupt', 'The BMP cannot be read')
  const whole = endsProperly(format, head, tail, size)
  if (!whole && !job.acceptDamaged) throw new Refused('truncated', 'The picture is cut: its end is missing')
  const input = await readFile(job.path)
  const facts = await openPicture(input, job)
    .metadata()
    .catch((error: Error) => {
      throw /pixel limit/i.test(error.message)
        ? new Refused('too_many_pixels', `The picture has more than ${job.maxPixels} pixels`)
        : new Refused('corrupt', 'The picture cannot be read')
    })
  // Both are needed: a picture of one pixel by 200,000 passes every count of pixels.
  checkSize(facts.autoOrient.width, facts.pageHeight ?? facts.autoOrient.height, job)
  const frames = facts.pages ?? 1
  if (frames * facts.width * (facts.pageHeight ?? facts.height) > job.maxPixels && frames > 1)
    throw new Refused('too_many_pixels', 'The frames together have too many pixels')

  const made: MadeVariant[] = []
  try {
    let from: Buffer = input
    let first = true
    for (const { name, side, output, format: wanted, effort, quality } of job.variants) {
      // Each is made from the one before, largest first: the original is decoded once, shrunk while it loads.
      const base = first ? openPicture(from, job).autoOrient().toColourspace('srgb') : sharp(from)
      const shrunk = base.resize(side, side, { fit: 'inside', withoutEnlargement: true })
      const raw = await (wanted === 'jpeg' ? shrunk.flatten({ background: '#fff' }) : shrunk).raw().toBuffer({ resolveWithObject: true })
      const pixels = { raw: { width: raw.info.width, height: raw.info.height, channels: raw.info.channels } }
      const encoded = await (wanted === 'jpeg'
        ? sharp(raw.data, pixels).jpeg({ quality })
        : wanted === 'avif'
          ? sharp(raw.data, pixels).avif({ quality, effort })
          : sharp(raw.data, pixels).webp({ quality, effort })
      ).toBuffer()
      await writeFile(output, encoded)
      made.push({ name, format: wanted, width: raw.info.width, height: raw.info.height, size: encoded.length, ...hashes(encoded) })
      if (job.variants.length > 1) {
        // Pixels, not the encoded bytes: the next one must not inherit this one's loss.
        from = await sharp(raw.data, pixels).png({ compressionLevel: 0 }).toBuffer()
        first = false
      }
    }
  } catch (error) {
    if (error instanceof Refused) throw error
    const text = error instanceof Error ? error.message : ''
    if (/pixel limit/i.test(text)) throw new Refused('too_many_pixels', `The picture has more than ${job.maxPixels} pixels`)
    throw new Refused(/premature|truncat|end of/i.test(text) ? 'truncated' : 'corrupt', 'The picture is cut or damaged')
  }
  const { ext, contentType } = FORMATS[format as keyof typeof FORMATS]
  return {
    ok: true,
    picture: {
      ext,
      content_type: contentType,
      width: facts.autoOrient.width,
      height: facts.pageHeight ?? facts.autoOrient.height,
      frames,
      size,
      damaged: !whole,
      ...hashes(input),
    },
    variants: made,
  }
}

const hashes = (bytes: Buffer) => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  md5: createHash('md5').update(bytes).digest('hex'),
})

process.on('message', (job: DecodeJob) => {
  judgeAndShrink(job)
    .catch(
      (error: unknown): DecodeAnswer =>
        error instanceof Refused
          ? { ok: false, code: error.code, message: error.message }
          : { ok: false, code: 'corrupt', message: 'The picture cannot be read' },
    )
    .then((answer) => process.send?.(answer))
})
process.on('disconnect', () => process.exit(0))
