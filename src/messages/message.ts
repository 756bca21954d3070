/**
 * The facts in a message. Three names are reserved: `reason` tells apart what one code says for
 * several reasons, `around` holds the messages around it, `next` is the key of the message whose
 * remedy replaces that of the code.
 */
export type Params = Record<string, unknown>

/**
 * A message as it is stored and sent: its code, and the facts in it. A catalogue makes a sentence
 * of it in each language.
 */
export interface Message {
  code: string
  params: Params
}

/** What stands within another message: a message too, or text of another program, as it came. */
export type Part = string | Message

export type Text = string | ((params: never) => string)

/**
 * What happened and what to do next; `page`: what to do on the page, where the remedy names an
 * address of the API.
 */
export interface Entry {
  readonly message: Text
  readonly remedy?: Text
  readonly page?: Text
}
export type Catalogue = Readonly<Record<string, Entry>>

/**
 * The key of a message in a catalogue: `code.reason`, a reason that many codes have, or the code
 * alone.
 */
export function entryOf(catalogue: Catalogue, { code, params }: { code: string; params?: Params | null | undefined }): Entry | undefined {
  const reason = params?.reason
  return (typeof reason === 'string' && (catalogue[`${code}.${reason}`] ?? catalogue[reason])) || catalogue[code]
}

/** The entry whose remedy says what to do after a message. */
export const nextOf = (catalogue: Catalogue, message: { code: string; params?: Params | null | undefined }): Entry | undefined =>
  (typeof message.params?.next === 'string' && catalogue[message.params.next]) || entryOf(catalogue, message)

/** What to do after a message, for a person; null where the catalogue does not know it. */
export function remedyOf(catalogue: Catalogue, message: { code: string; params?: Params | null | undefined }): string | null {
  const entry = nextOf(catalogue, message)
  return fillIn(entry?.page ?? entry?.remedy, message.params) || null
}

/**
 * The sentence with its facts; null where it needs some and has none, as in rows that were stored
 * as text only.
 */
export function fillIn(text: Text | undefined, params: Params | null | undefined): string | null {
  if (text === undefined) return null
  if (typeof text === 'string') return text
  try {
    return params ? text(params as never) : null
  } catch {
    return null // the facts of another version of zinc
  }
}

/**
 * What a message says, with what stands around it; null where the catalogue does not know it or its
 * facts are missing.
 */
export function render(catalogue: Catalogue, message: { code: string; params?: Params | null | undefined }): string | null {
  const around = Array.isArray(message.params?.around) ? (message.params.around as Message[]) : []
  return around.reduce<string | null>(
    (text, { code, params }) => (text === null ? null : fillIn(entryOf(catalogue, { code, params })?.message, { ...params, text })),
    fillIn(entryOf(catalogue, message)?.message, message.params),
  )
}
