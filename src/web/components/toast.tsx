import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { commonMessages } from './messages.ts'
import classes from './toast.module.css'

const SHOWN_MS = 5_000
/** Long enough to read what happened and to reach the button by keyboard. */
const SHOWN_WITH_UNDO_MS = 12_000

/** Toasts are made outside of any component; the document knows the language. */
const frame = () => ({
  withBorder: true,
  closeButtonProps: { 'aria-label': commonMessages[document.documentElement.lang === 'ar' ? 'ar' : 'en'].close },
})

/** Says in a corner that something was done. */
export function toast(message: string): void {
  notifications.show({ message, autoClose: SHOWN_MS, ...frame() })
}

/** Says what was done and lets it be undone for a while. */
export function toastWithUndo(message: string, undo: { label: string; act(): void }): void {
  const id = notifications.show({
    autoClose: SHOWN_WITH_UNDO_MS,
    ...frame(),
    message: (
      <span className={classes.row}>
        {message}
        <Button
          size="compact-sm"
          variant="light"
          onClick={() => {
            notifications.hide(id)
            undo.act()
          }}
        >
          {undo.label}
        </Button>
      </span>
    ),
  })
}
