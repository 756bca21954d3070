import { createContext, type ReactNode, use } from 'react'
import type { Language } from '../../facts/languages.ts'
import { createFormat, type Format } from './format.ts'
import { useLanguage } from './language.tsx'

const ZoneContext = createContext<string | undefined>(undefined)

/**
 * Everything below speaks in the shop's time zone; without one (not connected yet) in the
 * browser's.
 */
export function ShopZone({ timeZone, children }: { timeZone: string | undefined; children: ReactNode }) {
  return <ZoneContext value={timeZone}>{children}</ZoneContext>
}

export const useShopZone = (): string => use(ZoneContext) ?? Intl.DateTimeFormat().resolvedOptions().timeZone

const formats = new Map<string, Format>()

/** One for all components: making Intl's formatters takes longer than drawing a row. */
function formatOf(language: Language, timeZone: string | undefined): Format {
  const key = `${language} ${timeZone ?? ''}`
  let format = formats.get(key)
  if (!format) {
    format = createFormat(language, timeZone)
    formats.set(key, format)
  }
  return format
}

export function useFormat(): Format {
  const { language } = useLanguage()
  const timeZone = use(ZoneContext)
  return formatOf(language, timeZone)
}
