import { Button, NativeSelect } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Quota } from '../../../schemas/quota.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { quotaKey } from '../../api/zoho.ts'
import { useHasRole } from '../../app/session.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { overviewMessages } from './messages.ts'
import classes from './quota-card.module.css'

const CHOICES = [0, 5, 10, 20, 30, 50, 75]

/** How much of the day pictures leave to items: said to everybody, set by admins. */
export function ImageQuotaReserve({ day }: { day: Quota['day'] }) {
  const m = useMessages(overviewMessages)
  const format = useFormat()
  const client = useQueryClient()
  const mayChange = useHasRole('admin')
  const [editing, setEditing] = useState(false)
  const save = useMutation({
    mutationFn: (reserve_percent: number) =>
      request<{ data: Quota }>(`${ZOHO}/quota`, { method: 'PUT', body: { reserve_percent } }).then(({ data }) => data),
    onSuccess: (quota) => {
      client.setQueryData(quotaKey, quota)
      setEditing(false)
      toast(m.reserveSaved({ share: format.percent(quota.day.reserve_percent / 100) }))
    },
  })
  const { reserve_percent: percent } = day
  const said = m.reserve({
    share: format.percent(percent / 100),
    calls: day.limit === null ? null : format.number(day.reserve),
  })
  return (
    <div className={classes.reserve}>
      {editing ? (
        <NativeSelect
          size="xs"
          label={m.reserveLabel}
          description={m.reserveHint}
          autoFocus
          disabled={save.isPending}
          value={String(percent)}
          onBlur={() => setEditing(save.isPending)}
          onChange={(event) => save.mutate(Number(event.currentTarget.value))}
          data={[...new Set([...CHOICES, percent])]
            .sort((a, b) => a - b)
            .map((value) => ({ value: String(value), label: format.percent(value / 100) }))}
        />
      ) : (
        <p className={classes.reserved} title={m.reserveHint}>
          {said}
          {mayChange && (
            <Button size="compact-xs" variant="subtle" onClick={() => setEditing(true)}>
              {m.reserveChange}
            </Button>
          )}
        </p>
      )}
      {save.error && <ErrorCard error={save.error} />}
    </div>
  )
}
