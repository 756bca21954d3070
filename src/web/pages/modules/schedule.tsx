import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { type UseMutationResult, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { z } from 'zod'
import type { SchedulePreviewResponse, ZohoModule } from '../../../schemas/zoho-settings.ts'
import { toApiError } from '../../api/api-error.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { errorMessage } from '../../api/error-messages.ts'
import { request } from '../../api/request.ts'
import { toast } from '../../components/toast.tsx'
import { useUnsavedChanges } from '../../components/use-unsaved-changes.ts'
import { useLanguage, useMessages } from '../../i18n/language.tsx'
import { useFormat, useShopZone } from '../../i18n/shop-zone.tsx'
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
  // A name of its own, so that nobody is left with a cron line.
  const recommended = (cron: string) => ({ [cron]: `${m.recommended} (${cron})` })
  const isSuggested = draft.schedule === module.suggested.schedule && draft.full_schedule === module.suggested.full_schedule
  return (
    <fieldset className={classes.schedule} disabled={!mayChange}>
      <legend className={classes.legend}>
        {m.scheduleSection} <span className={classes.zone}>{m.timesIn({ zone })}</span>
      </legend>
      <div className={classes.lines}>
        <CronField
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
            label={m.stockSchedule}
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

const CUSTOM = 'custom'

function CronField({
  label,
  value,
  presets,
  onChange,
}: {
  label: string
  value: string | null
  presets: Record<string, string>
  onChange(value: string | null): void
}) {
  const m = useMessages(modulesMessages)
  const [custom, setCustom] = useState(value !== null && presets[value] === undefined)
  const shown = custom ? CUSTOM : (value ?? '')
  return (
    <div className={classes.field}>
      <NativeSelect
        size="xs"
        label={label}
        value={shown}
        onChange={(event) => {
          const selection = event.currentTarget.value
          setCustom(selection === CUSTOM)
          if (selection !== CUSTOM) onChange(selection === '' ? null : selection)
        }}
        data={[
          { value: '', label: m.off2 },
          ...Object.entries(presets).map(([cron, name]) => ({ value: cron, label: name })),
          { value: CUSTOM, label: m.custom },
        ]}
      />
      {custom && (
        <TextInput
          size="xs"
          aria-label={`${label}: ${m.cron}`}
          description={m.cronHint}
          dir="ltr"
          spellCheck={false}
          value={value ?? ''}
          onChange={(event) => onChange(event.currentTarget.value === '' ? null : event.currentTarget.value)}
        />
      )}
      <p className={classes.next}>{value !== null && value !== '' && <NextTimes cron={value} />}</p>
    </div>
  )
}

/** "Next: 09:15, 09:30, 09:45" as the server reckons, or what is wrong with the line. */
function NextTimes({ cron }: { cron: string }) {
  const m = useMessages(modulesMessages)
  const format = useFormat()
  const { language } = useLanguage()
  const [asked] = useDebouncedValue(cron, 300)
  const { data, error } = useQuery({
    queryKey: ['schedule-preview', asked],
    staleTime: 60_000,
    retry: false,
    queryFn: ({ signal }) =>
      request<z.infer<typeof SchedulePreviewResponse>>(`${ZOHO}/schedule/preview`, { query: { cron: asked, count: 3 }, signal }),
  })
  if (error) return <span className={classes.wrong}>{errorMessage(toApiError(error), language).what}</span>
  if (!data) return null
  const today = format.date(new Date().toISOString())
  return (
    <>
      {m.next}{' '}
      {data.data.next.map(({ at }, index) => (
        <span key={at}>
          {index > 0 && ' · '}
          <bdi>{format.date(at) === today ? format.time(at).slice(0, -3) : format.dayTime(at)}</bdi>
        </span>
      ))}
    </>
  )
}
