import sharp from 'sharp'
import { seeded } from '../../src/zoho-simulator/seed.ts'

let seed = 0
/** A small picture that differs from every other that this process drew. */
export async function drawnImage(format: 'jpeg' | 'png' | 'webp' | 'gif' = 'png', { width = 40, height = 30 } = {}): Promise<Buffer> {
  seed++
  const background = { r: seed % 256, g: (seed >> 8) % 256, b: 120 }
  return sharp({ create: { width, height, channels: 3, background } })
    .toFormat(format)
    .toBuffer()
}

/** A form with parts named `file`. */
export function imageForm(files: Buffer[], fields: Record<string, string> = {}, filename = 'picture.png'): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  for (const bytes of files) form.append('file', new Blob([new Uint8Array(bytes)]), filename)
  return form
}

const BLOCK = 8
const COLUMNS = 6
const ROWS = 5

/**
 * A picture of its own for each seed, for tests that need many and look at none: a tenth of the
 * work of a card of the simulator.
 */
export function smallImage({ image_seed }: { image_seed: number }): Promise<Buffer> {
  const [width, height] = [COLUMNS * BLOCK, ROWS * BLOCK]
  // One bit of the seed a block of JPEG, so that no two seeds are encoded alike.
  const pixels = Uint8Array.from({ length: width * height }, (_, at) => {
    const block = Math.floor(Math.floor(at / width) / BLOCK) * COLUMNS + Math.floor((at % width) / BLOCK)
    return (image_seed >> block) & 1 ? 255 : 0
  })
  return sharp(pixels, { raw: { width, height, channels: 1 } })
    .jpeg()
    .toBuffer()
}

const NOISY = 280

/** A picture of about 45 KB for each seed, as hard to compress as a photograph. */
export function noisyImage({ image_seed }: { image_seed: number }): Promise<Buffer> {
  const random = seeded(image_seed)
  const pixels = Uint8Array.from({ length: NOISY * NOISY * 3 }, () => random() * 256)
  return sharp(pixels, { raw: { width: NOISY, height: NOISY, channels: 3 } })
    .jpeg({ quality: 75 })
    .toBuffer()
}
