import type { MantineThemeOverride } from '@mantine/core'
import { theme } from './theme.ts'

/**
 * The theme with what differs from Mantine's defaults in single components. By name: importing them
 * here would put all of them into the first load.
 */
export const themeWithComponents: MantineThemeOverride = {
  ...theme,
  components: {
    // Locking the scroll writes a style element, which the page's policy refuses.
    Modal: { defaultProps: { lockScroll: false } },
    Drawer: { defaultProps: { lockScroll: false } },
    Popover: { defaultProps: { transitionProps: { duration: 120 } } },
    Tooltip: { defaultProps: { openDelay: 300, transitionProps: { duration: 100 } } },
  },
}
