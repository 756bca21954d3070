import { Checkbox } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { z } from 'zod'
import type { MappingResponse } from '../../../schemas/mapping.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { useHasRole } from '../../app/session.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import classes from './mapping.module.css'
import { modulesMessages } from './messages.ts'

type MappingData = z.infer<typeof MappingResponse>['data']

/** Which custom fields Zoho's lists do not show, and whether their values are read in spite of it. */
export function HiddenFields({ mapping }: { mapping: MappingData }) {
  const m = useMessages(modulesMessages)
  const format = useFormat()
  const client = useQueryClient()
  const mayChange = useHasRole('admin')
  const { hidden_fields: reads, hidden_custom_fields: fields } = mapping
  const save = useMutation({
    mutationFn: (hidden_fields: boolean) => request<unknown>(`${ZOHO}/mapping`, { method: 'PUT', body: { hidden_fields } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['zoho', 'mapping'] })
      toast(m.mappingSaved)
    },
  })
  if (fields.length === 0 && !reads) return null
  return (
    <div className={classes.hidden}>
      <p className={classes.hiddenTitle}>{m.hiddenFields}</p>
      {fields.length > 0 && (
        <ul className={classes.hiddenList}>
          {fields.map(({ api_name, label, products }) => (
            <li key={api_name}>
              <bdi>{label ?? api_name}</bdi> <Ltr mono>{api_name}</Ltr>{' '}
              {m.hiddenProducts({ count: products, shown: format.number(products) })}
            </li>
          ))}
        </ul>
      )}
      <Checkbox
        label={m.readHidden}
        description={m.readHiddenHint}
        checked={reads}
        disabled={!mayChange || save.isPending}
        onChange={(event) => save.mutate(event.currentTarget.checked)}
      />
      {save.error && <ErrorCard error={save.error} />}
    </div>
  )
}
