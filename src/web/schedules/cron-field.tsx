import { NativeSelect, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { z } from 'zod'
import type { SchedulePreviewResponse } from '../../schemas/zoho-settings.ts'
import { toApiError } from '../api/api-error.ts'
import { ZOHO } from '../api/endpoints.ts'
import { errorMessage } from '../api/error-messages.ts'
import { request } from '../api/request.ts'
import { useLanguage, useMessages } from '../i18n/language.tsx'
import { useFormat } from '../i18n/shop-zone.tsx'
import classes from './cron-field.module.css'
import { cronMessages } from './cron-messages.ts'

const CUSTOM = 'custom'

interface CronFieldProps {
  label: string
  description?: string
  size?: 'xs' | 'sm'
  disabled?: boolean
  /** null: nothing is started by the clock. */
  value: string | null
  /** Names of common cron expressions. */
  presets: Record<string, string>
  onChange(value: string | null): void
}

/** Common times to choose, or a cron expression, with the next three times before it is saved. */
export function CronField({ label, description, size = 'sm', disabled, value, presets, onChange }: CronFieldProps) {
  const m = useMessages(cronMessages)
  const [chosen, setCustom] = useState(false)
  const custom = chosen || (value !== null && presets[value] === undefined)
  const shown = custom ? CUSTOM : (value ?? '')
  return (
    <div className={classes.field}>
      <NativeSelect
        size={size}
        label={label}
        description={description}
        disabled={disabled}
        value={shown}
        onChange={(event) => {
          const selection = event.currentTarget.value
          setCustom(selection === CUSTOM)
          if (selection !== CUSTOM) onChange(selection === '' ? null : selection)
        }}
        data={[
          { value: '', label: m.off },
          ...Object.entries(presets).map(([cron, name]) => ({ value: cron, label: name })),
          { value: CUSTOM, label: m.custom },
        ]}
      />
      {custom && (
        <TextInput
          size={size}
          disabled={disabled}
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
  const m = useMessages(cronMessages)
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
          <bdi>{format.date(at) === today ? format.time(at) : format.dayTime(at)}</bdi>
        </span>
      ))}
    </>
  )
}
