import { Modal } from '@mantine/core'
import type { ReactNode } from 'react'
import { useMessages } from '../i18n/language.tsx'
import classes from './dialog.module.css'
import { commonMessages } from './messages.ts'
import { useRestoreFocus } from './use-restore-focus.ts'

interface DialogProps {
  opened: boolean
  onClose(): void
  title: string
  /** full: as wide as the window */
  size?: 'md' | 'lg' | 'xl' | 'full'
  /** False where a stray click beside the dialog would lose something. */
  closeOnClickOutside?: boolean
  children: ReactNode
}

/**
 * A dialog in the middle of the page, with a named way out. Its head is no `header`: the page has
 * one already.
 */
export function Dialog({ opened, onClose, title, size = 'md', closeOnClickOutside = true, children }: DialogProps) {
  const m = useMessages(commonMessages)
  useRestoreFocus(opened)
  return (
    // Locking the scroll writes a style element, which the page's policy refuses.
    <Modal.Root
      opened={opened}
      onClose={onClose}
      size={size === 'full' ? '100%' : size}
      closeOnClickOutside={closeOnClickOutside}
      centered
      lockScroll={false}
    >
      <Modal.Overlay />
      <Modal.Content>
        <div className={classes.head}>
          <Modal.Title className={classes.title ?? ''}>{title}</Modal.Title>
          <Modal.CloseButton aria-label={m.close} />
        </div>
        <Modal.Body className={classes.body ?? ''}>{children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  )
}
