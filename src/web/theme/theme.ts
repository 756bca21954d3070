import { createTheme, type MantineColorsTuple, type MantineThemeOverride } from '@mantine/core'

const gray: MantineColorsTuple = [
  '#fafafa',
  '#f4f4f5',
  '#e4e4e7',
  '#d4d4d8',
  '#a1a1aa',
  '#71717a',
  '#52525b',
  '#3f3f46',
  '#27272a',
  '#18181b',
]
/** Mantine reads it from text (0) over borders (4) and inputs (6) to the page (7). */
const dark: MantineColorsTuple = [
  '#ededf0',
  '#d4d4d8',
  '#a1a1aa',
  '#8b8b94',
  '#34343a',
  '#2a2a30',
  '#1b1b1f',
  '#101012',
  '#0c0c0e',
  '#09090b',
]
const accent: MantineColorsTuple = [
  '#eef2ff',
  '#e0e7ff',
  '#c7d2fe',
  '#a5b4fc',
  '#818cf8',
  '#6366f1',
  '#4f46e5',
  '#4338ca',
  '#3730a3',
  '#312e81',
]

/**
 * What Mantine needs to know; everything else of the look stands in base.css. Read by the build,
 * too: see build/theme-css.ts.
 */
export const theme: MantineThemeOverride = createTheme({
  colors: { gray, dark, accent },
  primaryColor: 'accent',
  primaryShade: 6,
  fontFamily: "'Inter Variable', 'Noto Sans Arabic Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  lineHeights: { xs: '1.4', sm: '1.45', md: '1.5', lg: '1.55', xl: '1.6' },
  defaultRadius: 'md',
  radius: { xs: '3px', sm: '5px', md: '7px', lg: '10px', xl: '16px' },
  headings: { fontWeight: '600' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  focusRing: 'auto',
})
