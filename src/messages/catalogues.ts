import type { Language } from '../facts/languages.ts'
import type { Catalogue } from './message.ts'

/** Each language's texts, loaded when needed; a further language is a file and a line here. */
export const CATALOGUES: Record<Language, () => Promise<{ MESSAGES: Catalogue; CAUSES: Catalogue }>> = {
  en: () => import('./en.ts'),
  ar: () => import('./ar.ts'),
}
