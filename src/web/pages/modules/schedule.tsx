import { Button } from '@mantine/core'
import type { UseMutationResult } from '@tanstack/react-query'
import { useState } from 'react'
import type { ZohoModule } from '../../../schemas/zoho-settings.ts'
import { toast } from '../../components/toast.tsx'
import { useUnsavedChanges } from '../../components/use-unsaved-changes.ts'
import { useMessages } from '../../i18n/language.tsx'
import { useShopZone } from '../../i18n/shop-zone.tsx'
import { CronField } from '../../schedules/cron-field.tsx'
import { modulesMessages } from './messages.ts'
import classes from './schedule.module.css'

type Lines = Pick<ZohoModule, 'schedule' | 'full_schedule' | 'stock_schedule'>
const linesOf = ({ schedule, full_schedule, stock_schedule }: Lines): Lines => ({ schedule, full_schedule, stock_schedule })

interface ScheduleProps {
  module: ZohoModule
  mayChange: boolean
  change: UseMutationResult<unknown, Error, Partial<Lines & { enabled: boolean }>>
}

/**
 * When a module is synced by itself: common times to choose, or a cron line, with the next three
 * times before it is saved.
 */
export function Schedule({ module, mayChange, change }: ScheduleProps) {
  const m = useMessages(modulesMessages)
  const zone = useShopZone()
  const [draft, setDraft] = useState<Lines>(() => linesOf(module))
  const changed = JSON.stringify(draft) !== JSON.stringify(linesOf(module))
  useUnsavedChanges(changed)
  // Named, so that people need not read a cron line.
  const recommended = (cron: string) => ({ [cron]: `${m.recommended} (${cron})` })
  const isSuggested = draft.schedule === module.suggested.schedule && draft.full_schedule === module.suggested.full_schedule
  return (
    <fieldset className={classes.schedule} disabled={!mayChange}>
      <legend className={classes.legend}>
        {m.scheduleSection} <span className={classes.zone}>{m.timesIn({ zone })}</span>
      </legend>
      <div className={classes.lines}>
        <CronField
          size="xs"
          label={m.schedule}
          value={draft.schedule}
          presets={{
            '*/5 * * * *': m.every5,
            '*/15 * * * *': m.every15,
            '*/30 * * * *': m.every30,
            '0 * * * *': m.hourly,
            '0 */6 * * *': m.sixHourly,
            ...recommended(module.suggested.schedule),
          }}
          onChange={(schedule) => setDraft({ ...draft, schedule })}
        />
        <CronField
          size="xs"
          label={m.fullSchedule}
          value={draft.full_schedule}
          presets={{
            '0 3 * * *': m.daily,
            '0 3,15 * * *': m.twice,
            '0 3 * * 5': m.weekly,
            ...recommended(module.suggested.full_schedule),
          }}
          onChange={(full_schedule) => setDraft({ ...draft, full_schedule })}
        />
        {module.slug === 'inventory' && (
          <CronField
            size="xs"
            label={m.stockSchedule}
            description={m.stockScheduleHint}
            value={draft.stock_schedule}
            presets={{ '30 * * * *': m.hourly, '30 */6 * * *': m.sixHourly }}
            onChange={(stock_schedule) => setDraft({ ...draft, stock_schedule })}
          />
        )}
      </div>
      {mayChange && (changed || !isSuggested) && (
        <div className={classes.buttons}>
          {!isSuggested && (
            <Button variant="subtle" size="compact-sm" title={m.suggestedHint} onClick={() => setDraft({ ...draft, ...module.suggested })}>
              {m.suggested}
            </Button>
          )}
          {changed && (
            <>
              <Button variant="default" size="compact-sm" onClick={() => setDraft(linesOf(module))}>
                {m.discard}
              </Button>
              <Button
                size="compact-sm"
                loading={change.isPending}
                onClick={() => change.mutate(draft, { onSuccess: () => toast(m.saved) })}
              >
                {m.save}
              </Button>
            </>
          )}
        </div>
      )}
    </fieldset>
  )
}
