import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Plugin } from 'vite'

const COMPRESSIBLE = /\.(js|css|html|svg)$/
/** Smaller ones fit into one packet anyway. */
const MIN_BYTES = 1_000

/** Writes `.br` and `.gz` beside each text file once, so that serving compresses nothing. */
export function compress(): Plugin {
  let outDir = ''
  return {
    name: 'compress',
    apply: 'build',
    configResolved(config) {
      outDir = config.build.outDir
    },
    async closeBundle() {
      const files = await readdir(outDir, { recursive: true })
      for (const file of files.filter((name) => COMPRESSIBLE.test(name))) {
        const bytes = await readFile(join(outDir, file))
        if (bytes.length < MIN_BYTES) continue
        const brotli = await promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })
        await writeFile(join(outDir, `${file}.br`), brotli)
        await writeFile(join(outDir, `${file}.gz`), await promisify(gzip)(bytes, { level: 9 }))
      }
    },
  }
}
