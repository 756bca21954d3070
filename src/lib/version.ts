import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** This release, as package.json names it; the path is the same from src/ and from dist/. */
export const VERSION: string = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))).version
