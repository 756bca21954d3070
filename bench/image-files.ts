import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { drawImage } from '../src/zoho-simulator/draw-image.ts'

/**
 * So many images: the JPEGs of a folder, again and again if they are fewer, or drawn ones of 640
 * px if none is named.
 */
export async function benchImages(count: number, folder: string): Promise<Buffer[]> {
  if (folder === '') return Promise.all(Array.from({ length: count }, (_, seed) => drawImage({ seed, category: 'Phones' })))
  const files = (await readdir(folder)).filter((name) => name.endsWith('.jpg'))
  const bytes = await Promise.all(files.map((name) => readFile(join(folder, name))))
  return Array.from({ length: count }, (_, n) => bytes[n % bytes.length]!)
}
