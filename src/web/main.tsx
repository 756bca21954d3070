import './theme/fonts.css'
import '@mantine/core/styles.layer.css'
import '@mantine/notifications/styles.layer.css'
import 'virtual:theme.css'
import './theme/base.css'
import { DirectionProvider, localStorageColorSchemeManager, MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { createQueryClient } from './api/query-client.ts'
import { App } from './app/app.tsx'
import { LanguageProvider } from './i18n/language.tsx'
import { loadServerMessages } from './i18n/server-messages.ts'
import { themeWithComponents } from './theme/components.ts'

/**
 * Longest that the first frame waits for its font, so that text does not change shape under the
 * reader.
 */
const FONT_WAIT_MS = 300

const arabic = document.documentElement.lang === 'ar'
const fonts = [
  document.fonts.load('14px "Inter Variable"', 'a'),
  ...(arabic ? [document.fonts.load('14px "Noto Sans Arabic Variable"', 'ا')] : []),
]
const messages = loadServerMessages(arabic ? 'ar' : 'en')
await Promise.all([
  Promise.race([Promise.all(fonts), new Promise((resolve) => setTimeout(resolve, FONT_WAIT_MS))]),
  // The server speaks English already; only what to do on the page differs, and nothing on the
  // first frame says it.
  ...(arabic ? [messages] : []),
])

const queryClient = createQueryClient()
const root = document.getElementById('root')
if (!root) throw new Error('The document has no #root')

createRoot(root).render(
  <StrictMode>
    <DirectionProvider initialDirection={arabic ? 'rtl' : 'ltr'} detectDirection={false}>
      <MantineProvider
        theme={themeWithComponents}
        defaultColorScheme="auto"
        colorSchemeManager={localStorageColorSchemeManager({ key: 'zinc-color-scheme' })}
        // Both would write style elements; the variables come as a file, see build/theme-css.ts.
        withCssVariables={false}
        withGlobalClasses={false}
      >
        <LanguageProvider>
          <QueryClientProvider client={queryClient}>
            <App />
            {/* Narrow: a toast must not cover the actions at the foot of a list. */}
            <Notifications position="bottom-right" containerWidth={330} />
          </QueryClientProvider>
        </LanguageProvider>
      </MantineProvider>
    </DirectionProvider>
  </StrictMode>,
)
