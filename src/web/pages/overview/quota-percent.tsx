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

interface QuotaPercentProps {
  field: 'reserve_percent' | 'stock_percent'
  percent: number
  /** What the percentage means now, in a sentence. */
  said: string
  label: string
  hint: string
  saved(share: string): string
}

/** A percentage of the day's calls: said to everybody, set by admins. */
export function QuotaPercent({ field, percent, said, label, hint, saved }: QuotaPercentProps) {
  const m = useMessages(overviewMessages)
  const format = useFormat()
  const client = useQueryClient()
  const mayChange = useHasRole('admin')
  const [editing, setEditing] = useState(false)
  const save = useMutation({
    mutationFn: (value: number) =>
      request<{ data: Quota }>(`${ZOHO}/quota`, { method: 'PUT', body: { [field]: value } }).then(({ data }) => ({ data, value })),
    onSuccess: ({ data, value }) => {
      client.setQueryData(quotaKey, data)
      setEditing(false)
      toast(saved(format.percent(value / 100)))
    },
  })
  return (
    <div className={classes.reserve}>
      {editing ? (
        <NativeSelect
          size="xs"
          label={label}
          description={hint}
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
        <p className={classes.reserved} title={hint}>
          {said}
          {mayChange && (
            <Button size="compact-xs" variant="subtle" aria-label={`${m.reserveChange}: ${label}`} onClick={() => setEditing(true)}>
              {m.reserveChange}
            </Button>
          )}
        </p>
      )}
      {save.error && <ErrorCard error={save.error} />}
    </div>
  )
}
