import { useDirection } from '@mantine/core'
import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useState } from 'react'
import { LANGUAGES, type Language } from '../../facts/languages.ts'
import type { Messages, Seed } from './messages.ts'
import { loadServerMessages } from './server-messages.ts'

const STORED = 'zinc-language'

interface LanguageState {
  language: Language
  setLanguage(language: Language): void
}

const LanguageContext = createContext<LanguageState | null>(null)

/** init-theme.js has written the language on the document before the first frame. */
const initialLanguage = (): Language => (document.documentElement.lang === 'ar' ? 'ar' : 'en')

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setState] = useState<Language>(initialLanguage)
  const { setDirection } = useDirection()

  useEffect(() => {
    document.documentElement.lang = language
    setDirection(LANGUAGES[language].direction)
  }, [language, setDirection])

  const setLanguage = useCallback((next: Language) => {
    try {
      localStorage.setItem(STORED, next)
    } catch {
      // Without storage the choice lasts until the page is left.
    }
    // What is read already stays until the words of the other language are here.
    void loadServerMessages(next).then(() => setState(next))
  }, [])
  const state = useMemo(() => ({ language, setLanguage }), [language, setLanguage])
  return <LanguageContext value={state}>{children}</LanguageContext>
}

export function useLanguage(): LanguageState {
  const state = use(LanguageContext)
  if (!state) throw new Error('useLanguage outside of LanguageProvider')
  return state
}

/** The texts of a catalogue in the language of the page. */
export function useMessages<E extends Messages>(catalogue: Seed<E>): E {
  // Translated<E> takes what E takes, key by key; only the literal types of the English texts
  // differ.
  return catalogue[useLanguage().language] as E
}
