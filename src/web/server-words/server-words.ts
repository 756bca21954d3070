import type { Language } from '../i18n/language.tsx'
import type { Words } from './words.ts'

let arabic: Record<string, Words> | null = null

/** To be awaited before a language is shown, so that no text changes under the reader. Without the chunk the server's English stands in. */
export async function loadServerWords(language: Language): Promise<void> {
  if (language !== 'ar' || arabic) return
  arabic = await import('./arabic.ts').then(
    (module) => module.ARABIC,
    () => null,
  )
}

/** What a code means in the reader's language; null: the server's own English has to do. */
export const serverWords = (code: string | null | undefined, language: Language): Words | null =>
  language === 'ar' && code ? (arabic?.[code.replace(/^http_\d+$/, 'http_error')] ?? null) : null
