import { type EntryParams, MESSAGES } from './en.ts'
import { entryOf, fillIn, type Message, nextOf, type Params, type Part, render } from './message.ts'
import { TERMINAL } from './terminal.ts'

const ENGLISH = { ...MESSAGES, ...TERMINAL }
/** `code`, or `code.reason` where a code says several things. */
export type MessageKey = keyof typeof ENGLISH

/** The facts that a message needs. */
export type MessageParams<K extends MessageKey> = EntryParams<(typeof ENGLISH)[K]>
/** More facts than the sentences need may stand beside them, for machines. */
export type Given<K extends MessageKey> = MessageParams<K> & Params
/** The arguments after a key: its facts, which may be left out where it needs none. */
export type Arguments<K extends MessageKey> = keyof MessageParams<K> extends never ? [params?: Params] : [params: Given<K>]

/** A message with its English sentences, as the API sends it and rows keep it. */
export interface Said extends Message {
  message: string
  remedy: string | undefined
}

/**
 * A message for storing or sending, or to stand within another one. `code`: where it is not known
 * before, as with Zoho's.
 */
export function message<K extends MessageKey>(key: K, ...[params]: Arguments<K>): Message {
  const [code = '', reason] = key.split('.')
  return { code, params: { ...(reason !== undefined && { reason }), ...params } }
}

/** The same under another code than the key's: what several codes have in common. */
export const messageAs = <K extends MessageKey>(code: string, key: K, ...[params]: Arguments<K>): Message => ({
  code,
  params: { reason: key, ...params },
})

/** A message in English. */
export function inEnglish(message: Message): Said {
  return {
    ...message,
    message: render(ENGLISH, message) ?? message.code,
    remedy: fillIn(nextOf(ENGLISH, message)?.remedy, message.params) ?? undefined,
  }
}

export const say = <K extends MessageKey>(key: K, ...params: Arguments<K>): Said => inEnglish(message(key, ...params))

/** A part of a message in English. */
export const partInEnglish = (part: Part): string => (typeof part === 'string' ? part : (render(ENGLISH, part) ?? part.code))

type AroundKey = Extract<MessageKey, `around.${string}`>
/** Puts words around a message: which file or module it is about, how many more there are. */
export function around<K extends AroundKey>(said: Said, key: K, params: Omit<MessageParams<K>, 'text'> & Params): Said {
  const before = Array.isArray(said.params.around) ? said.params.around : []
  const outer = message(key, params as never)
  const text = fillIn(entryOf(ENGLISH, outer)?.message, { ...outer.params, text: said.message }) ?? said.message
  return { code: said.code, message: text, remedy: said.remedy, params: { ...said.params, around: [...before, outer] } }
}

/** What of a message is stored: its code and facts. */
export const messageOf = ({ code, params }: Message): Message => ({ code, params })
