import sharp from 'sharp'

let seed = 0
/** A small picture that differs from every other that this process drew. */
export async function drawnPicture(format: 'jpeg' | 'png' | 'webp' | 'gif' = 'png', { width = 40, height = 30 } = {}): Promise<Buffer> {
  seed++
  const background = { r: seed % 256, g: (seed >> 8) % 256, b: 120 }
  return sharp({ create: { width, height, channels: 3, background } })
    .toFormat(format)
    .toBuffer()
}

/** A form with parts named `file`. */
export function pictureForm(files: Buffer[], fields: Record<string, string> = {}, filename = 'picture.png'): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  for (const bytes of files) form.append('file', new Blob([new Uint8Array(bytes)]), filename)
  return form
}
