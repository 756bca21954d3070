import { Button, SegmentedControl, useMantineColorScheme } from '@mantine/core'
import { LANGUAGES, type Language } from '../../facts/languages.ts'
import { useLanguage, useMessages } from '../i18n/language.tsx'
import { frameMessages } from './messages.ts'

/** Offers the other language, in its own name. */
export function LanguageSwitch() {
  const { language, setLanguage } = useLanguage()
  const other: Language = language === 'en' ? 'ar' : 'en'
  return (
    <Button variant="subtle" color="gray" size="compact-sm" lang={other} onClick={() => setLanguage(other)}>
      {LANGUAGES[other].name}
    </Button>
  )
}

/** Light, dark, or as the system is set. */
export function ThemeSwitch() {
  const m = useMessages(frameMessages)
  // keepTransitions: Mantine would otherwise write a style element for a moment, which the page's
  // policy refuses.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true })
  return (
    <SegmentedControl
      size="xs"
      fullWidth
      aria-label={m.theme}
      value={colorScheme}
      onChange={(scheme) => setColorScheme(scheme as typeof colorScheme)}
      data={[
        { value: 'light', label: m.themeLight },
        { value: 'dark', label: m.themeDark },
        { value: 'auto', label: m.themeAuto },
      ]}
    />
  )
}
