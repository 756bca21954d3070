import { Button, TextInput } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { useMessages } from '../i18n/language.tsx'
import classes from './confirm.module.css'
import { Dialog } from './dialog.tsx'
import { ErrorCard } from './error-card.tsx'
import { commonMessages } from './messages.ts'

interface ConfirmProps {
  opened: boolean
  title: string
  /** What will happen, in words. */
  children: ReactNode
  /** The verb on the button. */
  action: string
  danger?: boolean
  /** What has to be typed first, for what cannot be undone. */
  typed?: string
  pending: boolean
  error: unknown
  onConfirm(): void
  onClose(): void
}

/** Asks before something that matters. The button names the deed; Escape and Cancel do nothing. */
export function Confirm({ opened, title, children, action, danger = false, typed, pending, error, onConfirm, onClose }: ConfirmProps) {
  const m = useMessages(commonMessages)
  const [text, setText] = useState('')
  const close = () => {
    setText('')
    onClose()
  }
  return (
    <Dialog opened={opened} onClose={close} title={title}>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault()
          onConfirm()
        }}
      >
        <div className={classes.words}>{children}</div>
        {typed !== undefined && (
          <TextInput
            label={m.typeToConfirm({ word: typed })}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            autoComplete="off"
            dir="auto"
            data-autofocus
          />
        )}
        {error !== null && error !== undefined && <ErrorCard error={error} />}
        <div className={classes.buttons}>
          <Button variant="default" onClick={close}>
            {m.cancel}
          </Button>
          <Button
            type="submit"
            color={danger ? 'red.9' : 'accent'}
            loading={pending}
            disabled={typed !== undefined && text.trim() !== typed}
          >
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
