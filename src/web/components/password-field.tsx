import { PasswordInput, type PasswordInputProps } from '@mantine/core'
import { useMessages } from '../i18n/language.tsx'
import { commonMessages } from './messages.ts'

/** A password, with an eye that says in the reader's language what it does. */
export function PasswordField(props: PasswordInputProps) {
  const m = useMessages(commonMessages)
  return <PasswordInput visibilityToggleButtonProps={{ 'aria-label': m.showPassword }} {...props} />
}
