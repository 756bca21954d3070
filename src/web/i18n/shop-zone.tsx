import { createContext, type ReactNode, use, useMemo } from 'react'
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

export function useFormat(): Format {
  const { language } = useLanguage()
  const timeZone = use(ZoneContext)
  return useMemo(() => createFormat(language, timeZone), [language, timeZone])
}
