import { Button } from '@mantine/core'
import RefreshCw from 'lucide-react/icons/refresh-cw'
import { lazy, Suspense, useState } from 'react'
import { useHasRole } from '../app/session.tsx'
import { useMessages } from '../i18n/language.tsx'
import { startMessages } from './start-messages.ts'

const load = () => import('./start-dialog.tsx')
const StartDialog = lazy(load)
/** Loaded while the pointer is on its way; not part of the first load. */
const preload = () => void load().catch(() => undefined)

/** "Sync now" opens the choice, the plan and the start. Whoever may not start runs sees nothing. */
export function StartSync({ primary = true, mode, label }: { primary?: boolean; mode?: 'full'; label?: string }) {
  const m = useMessages(startMessages)
  const [opened, setOpened] = useState(false)
  if (!useHasRole('operator')) return null
  return (
    <>
      <Button
        variant={primary ? 'filled' : 'default'}
        {...(label !== undefined && { size: 'xs' as const })}
        leftSection={<RefreshCw size={15} aria-hidden />}
        onClick={() => setOpened(true)}
        onMouseEnter={preload}
        onFocus={preload}
      >
        {label ?? m.syncNow}
      </Button>
      {opened && (
        <Suspense>
          <StartDialog {...(mode && { mode })} onClose={() => setOpened(false)} />
        </Suspense>
      )}
    </>
  )
}
