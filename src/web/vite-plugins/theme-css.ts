import { convertCssVariables, DEFAULT_THEME, defaultCssVariablesResolver, mergeMantineTheme } from '@mantine/core'
import type { Plugin } from 'vite'
import { theme } from '../theme/theme.ts'

const NAME = 'virtual:theme.css'

/**
 * Mantine writes the variables of a theme into a `<style>` element at run time, which the page's
 * policy (style-src 'self') refuses.
 * So the same variables are written into a file when the page is built; the provider is told to
 * leave them alone.
 */
export function themeCss(): Plugin {
  return {
    name: 'theme-css',
    resolveId: (id) => (id === NAME ? `\0${NAME}` : null),
    load: (id) =>
      id === `\0${NAME}`
        ? `@layer mantine { ${convertCssVariables(defaultCssVariablesResolver(mergeMantineTheme(DEFAULT_THEME, theme)), ':root')} }`
        : null,
  }
}
