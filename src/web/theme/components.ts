import { Drawer, type MantineThemeOverride, Modal, Popover, Tooltip } from '@mantine/core'
import { theme } from './theme.ts'

/** The theme with what differs from Mantine's defaults in single components. */
export const themeWithComponents: MantineThemeOverride = {
  ...theme,
  components: {
    // Locking the scroll writes a style element, which the page's policy refuses.
    Modal: Modal.extend({ defaultProps: { lockScroll: false } }),
    Drawer: Drawer.extend({ defaultProps: { lockScroll: false } }),
    Popover: Popover.extend({ defaultProps: { transitionProps: { duration: 120 } } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 300, transitionProps: { duration: 100 } } }),
  },
}
