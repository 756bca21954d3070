import type { Language } from '../../facts/languages.ts'

interface Named {
  name: string
  name_en: string | null
  name_ar: string | null
}

/**
 * The name in the reader's language first, the other one second; Zoho's own text where neither was
 * read out of it.
 */
export function productNames({ name, name_en, name_ar }: Named, language: Language): { first: string; second: string | null } {
  const [requested, other] = language === 'ar' ? [name_ar, name_en] : [name_en, name_ar]
  if (requested !== null) return { first: requested, second: other }
  return { first: other ?? name, second: null }
}
