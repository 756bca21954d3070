import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { Message } from '../messages/message.ts'
import { message, partInEnglish } from '../messages/say.ts'

/** The file is not an array of the requested values; the values before the error were yielded. */
export class InvalidFileError extends Error {
  readonly finding: Message
  constructor(finding: Message, options?: ErrorOptions) {
    super(partInEnglish(finding), options)
    this.finding = finding
  }
}

export interface JsonArrayOptions {
  /** The array may also be this member of an object, as in a saved response. */
  member?: string
  /**
   * An object by key is read as an array, too: returns the text of the value for a member, null for
   * one that is none.
   */
  fromMember?: (key: string, value: string) => string | null
  /** Whether only objects are accepted, or any value. */
  values?: 'objects' | 'any'
  signal?: AbortSignal
}

/** What the file as a whole is. */
export interface ReadFile {
  rows: number
  bytes: number
  sha256: string
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const COMMA = 0x2c
const COLON = 0x3a
const isSpace = (code: number) => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09 || code === 0xfeff

/**
 * Yields the values of a JSON array, each as it was written, in one batch per chunk, so that a file
 * of any size needs little memory. Throws InvalidFileError. Whether a value itself is valid JSON is
 * up to the caller, who parses it.
 */
export async function* readJsonArray(
  path: string,
  { member, fromMember, values = 'objects', signal }: JsonArrayOptions = {},
): AsyncGenerator<string[], ReadFile> {
  const hash = createHash('sha256')
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const split = createSplitter({ member, fromMember, values })
  let bytes = 0
  let rows = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024, signal }) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
    const found: string[] = []
    let fault: unknown
    try {
      split.take(decoder.decode(chunk, { stream: true }), found)
    } catch (error) {
      fault = error
    }
    rows += found.length
    if (found.length > 0) yield found
    if (fault) throw fault instanceof InvalidFileError ? fault : new InvalidFileError(message('file.not_utf8'), { cause: fault })
  }
  split.end()
  return { rows, bytes, sha256: hash.digest('hex') }
}

/** `key` to `after_member` are positions in an object around the array. */
type Phase = 'start' | 'key' | 'colon' | 'member' | 'after_member' | 'first' | 'value' | 'after_value' | 'comma' | 'end'

function createSplitter({
  member,
  fromMember,
  values,
}: {
  member: string | undefined
  fromMember: JsonArrayOptions['fromMember'] | undefined
  values: 'objects' | 'any'
}) {
  let phase: Phase = 'start'
  let text = ''
  let at = 0
  /** Open brackets in the value or key that is being read. */
  let depth = 0
  let inString = false
  /** A number or a word: it ends before the character that follows it. */
  let bare = false
  /**
   * The value is an element of the array, a key of the object around it, or another member of that.
   */
  let reading: 'element' | 'key' | 'other' = 'element'
  let key = ''
  let inObject = false
  let found = false

  const wrong = (sign: string) => new InvalidFileError(message('file.not_array', { found: sign }))

  /** Begins a value at `at`. */
  function begin(code: number, what: typeof reading): void {
    phase = 'value'
    reading = what
    inString = code === QUOTE
    bare = code !== QUOTE && code !== OPEN_BRACE && code !== OPEN_BRACKET
    depth = code === OPEN_BRACE || code === OPEN_BRACKET ? 1 : 0
  }
  function finish(value: string, elements: string[]): void {
    if (reading === 'element') elements.push(value)
    if (reading === 'key') key = value
    if (reading === 'other' && fromMember) {
      const element = fromMember(JSON.parse(key) as string, value)
      if (element !== null) elements.push(element)
      found ||= element !== null
    }
    phase = reading === 'element' ? 'after_value' : reading === 'key' ? 'colon' : 'after_member'
  }

  /** Handles one character between values. */
  function step(code: number, sign: string): void {
    const isElement = code === OPEN_BRACE || (values === 'any' && code !== COMMA && code !== CLOSE_BRACKET)
    if (phase === 'start' && code === OPEN_BRACKET) {
      found = true
      phase = 'first'
    } else if (phase === 'start' && code === OPEN_BRACE && member !== undefined) {
      inObject = true
      phase = 'key'
    } else if (phase === 'key' && code === QUOTE) begin(code, 'key')
    else if (phase === 'colon' && code === COLON) phase = 'member'
    else if (phase === 'member') {
      if (code === OPEN_BRACKET && key === JSON.stringify(member) && !found) {
        found = true
        phase = 'first'
      } else begin(code, 'other')
    } else if (phase === 'after_member' && code === COMMA) phase = 'key'
    else if (phase === 'after_member' && code === CLOSE_BRACE) phase = 'end'
    else if ((phase === 'first' || phase === 'comma') && isElement) begin(code, 'element')
    else if (phase === 'after_value' && code === COMMA) phase = 'comma'
    else if ((phase === 'first' || phase === 'after_value') && code === CLOSE_BRACKET) phase = inObject ? 'after_member' : 'end'
    else throw wrong(sign)
  }

  return {
    take(chunk: string, elements: string[]): void {
      // The incomplete part is in `text` from its value's first character; scanning resumes at
      // `at`.
      text += chunk
      let start = phase === 'value' ? 0 : at
      for (; at < text.length; at++) {
        const code = text.charCodeAt(at)
        if (phase !== 'value') {
          if (isSpace(code)) continue
          start = at
          step(code, text.charAt(at))
        } else if (inString) {
          if (code === BACKSLASH) at++
          else if (code === QUOTE) {
            inString = false
            if (depth === 0) finish(text.slice(start, at + 1), elements)
          }
        } else if (bare) {
          if (code !== COMMA && code !== CLOSE_BRACKET && code !== CLOSE_BRACE) continue
          finish(text.slice(start, at), elements)
          at-- // the character that ended it is processed again
        } else if (code === QUOTE) inString = true
        else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++
        else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) finish(text.slice(start, at + 1), elements)
      }
      const keepFrom = phase === 'value' ? start : text.length
      at -= keepFrom
      text = text.slice(keepFrom)
    },
    end(): void {
      if (phase !== 'end') throw new InvalidFileError(message('file.cut'))
      if (!found) throw new InvalidFileError(message('file.no_member', { member: member ?? '' }))
    },
  }
}
