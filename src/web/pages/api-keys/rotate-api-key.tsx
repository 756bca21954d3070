import { Button, NativeSelect } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { ApiKey, ApiKeyMade } from '../../../schemas/api-keys.ts'
import { request } from '../../api/request.ts'
import { Dialog } from '../../components/dialog.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { commonMessages } from '../../components/messages.ts'
import { useMessages } from '../../i18n/language.tsx'
import classes from './api-keys-page.module.css'
import { apiKeysMessages } from './messages.ts'
import { ShownKey } from './new-api-key.tsx'
import { API_KEYS, apiKeysKey } from './queries.ts'

const OVERLAP_HOURS = [0, 1, 24, 168]

/** Gives a key a new secret and shows it once. */
export function RotateApiKey({ apiKey, onClose }: { apiKey: ApiKey; onClose(): void }) {
  const m = useMessages(apiKeysMessages)
  const common = useMessages(commonMessages)
  const client = useQueryClient()
  const [hours, setHours] = useState('24')
  const rotate = useMutation({
    mutationFn: () =>
      request<{ data: ApiKeyMade }>(`${API_KEYS}/${apiKey.id}/rotate`, { method: 'POST', body: { overlap_hours: Number(hours) } }),
    onSuccess: () => void client.invalidateQueries({ queryKey: apiKeysKey }),
  })
  const made = rotate.data?.data
  const submit = (event: FormEvent) => {
    event.preventDefault()
    rotate.mutate()
  }
  return (
    <Dialog
      opened
      onClose={onClose}
      title={made ? m.madeTitle : m.rotateTitle({ name: apiKey.name })}
      size="lg"
      closeOnClickOutside={made === undefined}
    >
      {made ? (
        <ShownKey made={made} onClose={onClose} />
      ) : (
        <form className={classes.form} onSubmit={submit}>
          <p>{m.rotateText}</p>
          <NativeSelect
            label={m.overlap}
            value={hours}
            onChange={(event) => setHours(event.currentTarget.value)}
            data={OVERLAP_HOURS.map((value) => ({
              value: String(value),
              label: value === 0 ? m.overlapNone : m.overlapHours({ hours: value }),
            }))}
          />
          {rotate.error && <ErrorCard error={rotate.error} />}
          <div className={classes.buttons}>
            <Button variant="default" onClick={onClose}>
              {common.cancel}
            </Button>
            <Button type="submit" loading={rotate.isPending}>
              {m.rotate}
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  )
}
