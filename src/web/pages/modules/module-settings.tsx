import { Button } from '@mantine/core'
import type { UseMutationResult } from '@tanstack/react-query'
import SlidersHorizontal from 'lucide-react/icons/sliders-horizontal'
import { lazy, Suspense, useState } from 'react'
import type { ZohoModule } from '../../../schemas/zoho-settings.ts'
import { useMessages } from '../../i18n/language.tsx'
import { modulesMessages } from './messages.ts'
import type { ModuleChange } from './module-card.tsx'

const SettingsDialog = lazy(() => import('./module-settings-dialog.tsx'))

export interface ModuleSettingsProps {
  module: ZohoModule
  change: UseMutationResult<unknown, Error, ModuleChange>
  onChanged(module: ZohoModule): void
}

/** Opens what the module's syncs read, and from when. */
export function ModuleSettings(props: ModuleSettingsProps) {
  const m = useMessages(modulesMessages)
  const [opened, setOpened] = useState(false)
  return (
    <>
      <Button
        size="xs"
        variant="subtle"
        leftSection={<SlidersHorizontal size={14} aria-hidden />}
        aria-label={`${m.settings}: ${props.module.name}`}
        onClick={() => setOpened(true)}
      >
        {m.settings}
      </Button>
      {opened && (
        <Suspense>
          <SettingsDialog {...props} onClose={() => setOpened(false)} />
        </Suspense>
      )}
    </>
  )
}
