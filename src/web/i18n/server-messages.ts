import type { Language } from '../../facts/languages.ts'
import { CATALOGUES } from '../../messages/catalogues.ts'
import { type Catalogue, type Entry, entryOf, fillIn, nextOf, type Params, render } from '../../messages/message.ts'

const loaded = new Map<Language, { MESSAGES: Catalogue; CAUSES: Catalogue }>()

/**
 * To be awaited before a language is shown, so that no text changes under the reader. Without the
 * chunk the server's English stays.
 */
export async function loadServerMessages(language: Language): Promise<void> {
  if (loaded.has(language)) return
  const catalogue = await CATALOGUES[language]().catch(() => null)
  if (catalogue) loaded.set(language, catalogue)
}

export interface ServerMessage {
  code: string | null | undefined
  params?: Params | null | undefined
  /** Where it is the cause of failures in a stage of runs. */
  stage?: string | undefined
}

/**
 * A sentence of the server in the reader's language: what happened, or what to do. Null where only
 * the server's own English has it.
 */
export function serverMessage({ code, params, stage }: ServerMessage, part: 'what' | 'next', language: Language): string | null {
  const catalogue = loaded.get(language)
  if (!catalogue || !code) return null
  if (stage !== undefined && !params) {
    const cause = entryOf(catalogue.CAUSES, { code, params: { reason: stage } })
    if (cause || part === 'next') return textOf(cause ?? catalogue.CAUSES.other, part, null)
  }
  const message = { code, params: params ?? null }
  if (part === 'what') return render(catalogue.MESSAGES, message)
  return textOf(stage === undefined ? nextOf(catalogue.MESSAGES, message) : catalogue.CAUSES.other, part, message.params)
}

const textOf = (entry: Entry | undefined, part: 'what' | 'next', params: Params | null): string | null =>
  entry === undefined ? null : fillIn(part === 'what' ? entry.message : (entry.page ?? entry.remedy), params) || null
