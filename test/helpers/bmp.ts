export type Color = [red: number, green: number, blue: number, alpha?: number]

/** One picture for every form: a green band over red on the left and blue on the right. */
export const GREEN: Color = [0, 200, 0]
export const RED: Color = [220, 30, 20]
export const BLUE: Color = [20, 40, 210]
export const banded =
  (width: number, height: number) =>
  (x: number, y: number): Color =>
    y < height / 3 ? GREEN : x < width / 2 ? RED : BLUE

export interface BmpForm {
  width?: number
  height?: number
  pixel?: (x: number, y: number) => Color
  depth?: 1 | 2 | 4 | 8 | 16 | 24 | 32
  /**
   * Bytes of the header behind the first 14: 12 and 16–64 are OS/2's, 40, 52, 56, 108 and 124 those
   * of Windows.
   */
  header?: number
  coding?: 'rle4' | 'rle8' | 'rle24'
  masks?: [red: number, green: number, blue: number, alpha?: number]
  topDown?: boolean
  /** Fourth byte of 32-bit pixels without a mask for it. */
  reserved?: number
  /** Bytes between the palette and the pixels, and behind them. */
  gap?: number
  trailing?: number
}

const WINDOWS = [40, 52, 56, 108, 124]

/**
 * Writes a BMP of any form, by Microsoft's and IBM's descriptions and not by the code that reads
 * it.
 */
export function bmpOf({
  width = 13,
  height = 9,
  pixel = banded(width, height),
  depth = 24,
  header = 40,
  coding,
  masks,
  topDown = false,
  reserved = 0,
  gap = 0,
  trailing = 0,
}: BmpForm = {}): Buffer {
  const colors: Color[] = []
  const indexOf = (color: Color) => {
    const found = colors.findIndex((it) => it.join() === color.join())
    return found >= 0 ? found : colors.push(color) - 1
  }
  const rows = Array.from({ length: height }, (_, n) => {
    const y = topDown ? n : height - 1 - n
    return Array.from({ length: width }, (_, x) => pixel(x, y))
  })
  if (depth <= 8) for (const color of rows.flat()) indexOf(color)

  const pixels = coding ? runs(rows, coding, indexOf) : Buffer.concat(rows.map((row) => plainRow(row, { depth, masks, reserved, indexOf })))
  const palette = depth > 8 ? Buffer.alloc(0) : Buffer.concat(Array.from({ length: 2 ** depth }, (_, n) => entry(colors[n], header)))
  const maskBytes = Buffer.concat((masks ?? []).map((mask = 0) => u32(mask)))

  const head = Buffer.alloc(header)
  head.writeUInt32LE(header, 0)
  if (header === 12) {
    head.writeUInt16LE(width, 4)
    head.writeUInt16LE(height, 6)
    head.writeUInt16LE(1, 8)
    head.writeUInt16LE(depth, 10)
  } else {
    head.writeInt32LE(width, 4)
    head.writeInt32LE(topDown ? -height : height, 8)
    head.writeUInt16LE(1, 12)
    head.writeUInt16LE(depth, 14)
    const compression = coding ? { rle8: 1, rle4: 2, rle24: 4 }[coding] : masks ? (header === 40 && masks.length === 4 ? 6 : 3) : 0
    if (header >= 20) head.writeUInt32LE(compression, 16)
    if (masks && header > 40) maskBytes.copy(head, 40)
  }
  const behind = header === 40 ? maskBytes : Buffer.alloc(0)
  const file = Buffer.alloc(14)
  file.write('BM')
  const pixelsAt = 14 + header + behind.length + palette.length + gap
  file.writeUInt32LE(pixelsAt + pixels.length, 2)
  file.writeUInt32LE(pixelsAt, 10)
  return Buffer.concat([file, head, behind, palette, Buffer.alloc(gap, 0xee), pixels, Buffer.alloc(trailing, 0x0d)])
}

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}

const entry = ([red, green, blue]: Color = [255, 0, 255], header: number) =>
  Buffer.from(header === 12 ? [blue, green, red] : [blue, green, red, WINDOWS.includes(header) ? 0 : 1])

function plainRow(
  row: Color[],
  { depth, masks, reserved, indexOf }: { depth: number; masks: BmpForm['masks']; reserved: number; indexOf(color: Color): number },
): Buffer {
  const bits = row.map((color) => {
    if (depth <= 8) return indexOf(color)
    const [red, green, blue, alpha = 255] = color
    const masked = (value: number, mask = 0) => {
      if (mask === 0) return 0n
      const shift = BigInt(31 - Math.clz32(mask & -mask))
      const max = BigInt(mask >>> 0) >> shift
      return ((BigInt(value) * (max + 1n)) >> 8n) << shift
    }
    const [r, g, b, a] = masks ?? (depth === 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff0000, 0xff00, 0xff])
    const rest = !masks && depth === 32 ? BigInt(reserved) << 24n : 0n
    return Number(masked(red, r) | masked(green, g) | masked(blue, b) | masked(alpha, a) | rest)
  })
  const bytes = Buffer.alloc(Math.ceil((row.length * depth) / 32) * 4)
  for (const [x, value] of bits.entries()) {
    if (depth <= 8) {
      const at = Math.floor((x * depth) / 8)
      bytes[at] = bytes[at]! | (value << (8 - depth - ((x * depth) % 8)))
    } else bytes.writeUIntLE(value, (x * depth) / 8, depth / 8)
  }
  return bytes
}

/**
 * The first half of each row as runs, the second as a list; then the ends of the row and of the
 * picture.
 */
function runs(rows: Color[][], coding: 'rle4' | 'rle8' | 'rle24', indexOf: (color: Color) => number): Buffer {
  const bytes: number[] = []
  const one = (color: Color) => (coding === 'rle24' ? [color[2], color[1], color[0]] : [indexOf(color)])
  for (const row of rows) {
    const half = row.length - Math.max(3, Math.floor(row.length / 2))
    for (let x = 0; x < half; ) {
      let count = 1
      while (x + count < half && row[x + count]!.join() === row[x]!.join()) count++
      const value = coding === 'rle4' ? [indexOf(row[x]!) * 17] : one(row[x]!)
      bytes.push(count, ...value)
      x += count
    }
    const list = row.slice(half)
    const packed =
      coding === 'rle4'
        ? Array.from({ length: Math.ceil(list.length / 2) }, (_, n) => {
            const low = list[n * 2 + 1]
            return (indexOf(list[n * 2]!) << 4) | (low ? indexOf(low) : 0)
          })
        : list.flatMap(one)
    bytes.push(0, list.length, ...packed, ...(packed.length % 2 ? [0] : []), 0, 0)
  }
  return Buffer.from([...bytes, 0, 1])
}
