import { ActionIcon, Button, Tooltip } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import Check from 'lucide-react/icons/check'
import CopyIcon from 'lucide-react/icons/copy'
import { useMessages } from '../i18n/language.tsx'
import { commonMessages } from './messages.ts'

interface CopyButtonProps {
  value: string
  what: string
  label?: string
  onCopy?: (() => void) | undefined
}

/** Copies `value`. With `label` it is a button with words, else an icon named by `what`. */
export function CopyButton({ value, what, label, onCopy }: CopyButtonProps) {
  const m = useMessages(commonMessages)
  const { copy, copied } = useClipboard({ timeout: 1_500 })
  const act = () => {
    copy(value)
    onCopy?.()
  }
  const icon = copied ? <Check size={15} aria-hidden /> : <CopyIcon size={15} aria-hidden />
  if (label)
    return (
      <Button variant="default" size="xs" leftSection={icon} onClick={act}>
        <span aria-live="polite">{copied ? m.copied : label}</span>
      </Button>
    )
  return (
    <Tooltip label={copied ? m.copied : m.copyNamed({ what })} withinPortal>
      <ActionIcon variant="subtle" color="gray" onClick={act} aria-label={copied ? m.copied : m.copyNamed({ what })}>
        {icon}
      </ActionIcon>
    </Tooltip>
  )
}
