import type { Language } from '../language.tsx'
import type { ServerMessage } from './types.ts'

interface Arabic {
  byCode: Record<string, ServerMessage>
  say(english: string): string | null
}

let arabic: Arabic | null = null

/** To be awaited before a language is shown, so that no text changes under the reader. Without the chunks the server's English stands in. */
export async function loadServerMessages(language: Language): Promise<void> {
  if (language !== 'ar' || arabic) return
  arabic = await Promise.all([import('./ar.ts'), import('./translate.ts')]).then(
    ([{ ARABIC }, { translateTemplate }]) => ({ byCode: ARABIC, say: translateTemplate }),
    () => null,
  )
}

/** What a code means in the reader's language; null: the server's own English has to do. */
export const serverMessages = (code: string | null | undefined, language: Language): ServerMessage | null =>
  language === 'ar' && code ? (arabic?.byCode[code.replace(/^http_\d+$/, 'http_error')] ?? null) : null

/** A sentence of the server in the reader's language, with its figures; null where its code or its English has to do. */
export const translateServerText = (english: string, language: Language): string | null =>
  language === 'ar' ? (arabic?.say(english) ?? null) : null
