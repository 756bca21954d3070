import { useLayoutEffect } from 'react'

/**
 * Gives the focus back to where it was when `opened` began, also when the dialog is not closed but
 * gone: whoever uses the keyboard must not
 * begin again at the top of the page.
 */
export function useRestoreFocus(opened: boolean): void {
  useLayoutEffect(() => {
    if (!opened) return
    const before = document.activeElement
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true })
    }
  }, [opened])
}
