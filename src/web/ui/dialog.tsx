import { Modal, type ModalProps } from '@mantine/core'
import { useMessages } from '../i18n/language.tsx'
import classes from './dialog.module.css'
import { commonMessages } from './messages.ts'

/** A dialog in the middle of the page, with a named way out. */
export function Dialog(props: ModalProps) {
  const m = useMessages(commonMessages)
  return <Modal centered closeButtonProps={{ 'aria-label': m.close }} classNames={{ title: classes.title ?? '' }} {...props} />
}
