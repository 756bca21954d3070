import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { Message } from '../../messages/message.ts'
import { message, partInEnglish } from '../../messages/say.ts'
import type { WrittenFile } from './json-array-writer.ts'

/** The file is not an array of records; what stood before the fault was given out. */
export class InvalidFileError extends Error {
  readonly finding: Message
  constructor(finding: Message, options?: ErrorOptions) {
    super(partInEnglish(finding), options)
    this.finding = finding
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const COMMA = 0x2c
const isSpace = (code: number) => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09 || code === 0xfeff

/**
 * The records of a JSON array, each as it was written, a batch for each chunk that is read: a file of any size in little memory, however it is laid out.
 * Answers what the file as a whole is. Throws InvalidFileError; whether a record itself is right JSON is for the caller to see when it parses it.
 */
export async function* readJsonArray(path: string): AsyncGenerator<string[], WrittenFile> {
  const hash = createHash('sha256')
  const workers = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const split = createSplitter()
  let bytes = 0
  let rows = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
    const records: string[] = []
    let fault: unknown
    try {
      split.take(workers.decode(chunk, { stream: true }), records)
    } catch (error) {
      fault = error
    }
    rows += records.length
    if (records.length > 0) yield records
    if (fault) throw fault instanceof InvalidFileError ? fault : new InvalidFileError(message('file.not_utf8'), { cause: fault })
  }
  split.end()
  return { rows, bytes, sha256: hash.digest('hex') }
}

function createSplitter() {
  let phase: 'start' | 'first' | 'value' | 'after_value' | 'comma' | 'end' = 'start'
  let text = ''
  let at = 0
  let depth = 0
  let inString = false

  return {
    take(chunk: string, records: string[]): void {
      // What was cut off before is in `text` from its record's first character; scanning goes on at `at`.
      text += chunk
      let start = phase === 'value' ? 0 : at
      for (; at < text.length; at++) {
        const code = text.charCodeAt(at)
        if (phase === 'value') {
          if (inString) {
            if (code === BACKSLASH) at++
            else if (code === QUOTE) inString = false
          } else if (code === QUOTE) inString = true
          else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++
          else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) {
            records.push(text.slice(start, at + 1))
            phase = 'after_value'
          }
          continue
        }
        if (isSpace(code)) continue
        if (phase === 'start' && code === OPEN_BRACKET) phase = 'first'
        else if ((phase === 'first' || phase === 'comma') && code === OPEN_BRACE) {
          phase = 'value'
          start = at
          depth = 1
        } else if (phase === 'after_value' && code === COMMA) phase = 'comma'
        else if ((phase === 'first' || phase === 'after_value') && code === CLOSE_BRACKET) phase = 'end'
        else throw new InvalidFileError(message('file.not_array', { found: text.charAt(at) }))
      }
      const keepFrom = phase === 'value' ? start : text.length
      at -= keepFrom
      text = text.slice(keepFrom)
    },
    end(): void {
      if (phase !== 'end') throw new InvalidFileError(message('file.cut'))
    },
  }
}
