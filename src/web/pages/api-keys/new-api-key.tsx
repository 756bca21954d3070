import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import TriangleAlert from 'lucide-react/icons/triangle-alert'
import { type FormEvent, useState } from 'react'
import { API_KEY_SCOPES, type ApiKeyScope, mayGrant } from '../../../facts/api-key-scopes.ts'
import type { ApiKeyBody, ApiKeyMade } from '../../../schemas/api-keys.ts'
import { request } from '../../api/request.ts'
import { useCurrentUser } from '../../app/session.tsx'
import { CodeLine } from '../../components/code-line.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { commonMessages } from '../../components/messages.ts'
import { useMessages } from '../../i18n/language.tsx'
import classes from './api-keys-page.module.css'
import { apiKeysMessages, scopeTexts } from './messages.ts'
import { API_KEYS, apiKeysKey } from './queries.ts'

const VALID_DAYS = [30, 90, 365, 730]

/** Makes a key and shows it once. Closing forgets it. */
export function NewApiKey({ onClose }: { onClose(): void }) {
  const m = useMessages(apiKeysMessages)
  const [made, setMade] = useState<ApiKeyMade | null>(null)
  return (
    // A stray click beside the dialog must not lose what is shown only once.
    <Dialog opened onClose={onClose} title={made ? m.madeTitle : m.add} size="lg" closeOnClickOutside={made === null}>
      {made ? <ShownKey made={made} onClose={onClose} /> : <Form onMade={setMade} onClose={onClose} />}
    </Dialog>
  )
}

function Form({ onMade, onClose }: { onMade(made: ApiKeyMade): void; onClose(): void }) {
  const m = useMessages(apiKeysMessages)
  const texts = useMessages(scopeTexts)
  const common = useMessages(commonMessages)
  const { role } = useCurrentUser()
  const client = useQueryClient()
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<string[]>([])
  const [days, setDays] = useState('365')
  const make = useMutation({
    mutationFn: () => {
      const body = { name: name.trim(), scopes: scopes as ApiKeyScope[], expires_in_days: days === '' ? null : Number(days) }
      return request<{ data: ApiKeyMade }>(API_KEYS, { method: 'POST', body: body satisfies ApiKeyBody })
    },
    onSuccess: ({ data }) => {
      void client.invalidateQueries({ queryKey: apiKeysKey })
      onMade(data)
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    make.mutate()
  }
  return (
    <form className={classes.form} onSubmit={submit}>
      <TextInput
        label={m.name}
        description={m.nameHint}
        required
        withAsterisk={false}
        dir="auto"
        maxLength={100}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        data-autofocus
      />
      <Checkbox.Group label={m.scopes} description={m.scopesHint} value={scopes} onChange={setScopes}>
        <div className={classes.scopes}>
          {API_KEY_SCOPES.filter((scope) => mayGrant(role, scope)).map((scope) => (
            <Checkbox key={scope} value={scope} label={<code dir="ltr">{scope}</code>} description={texts[scope]} />
          ))}
        </div>
      </Checkbox.Group>
      <NativeSelect
        label={m.expiresIn}
        value={days}
        onChange={(event) => setDays(event.currentTarget.value)}
        data={[...VALID_DAYS.map((value) => ({ value: String(value), label: m.days({ days: value }) })), { value: '', label: m.noEnd }]}
      />
      {make.error && <ErrorCard error={make.error} />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose}>
          {common.cancel}
        </Button>
        <Button type="submit" loading={make.isPending} disabled={name.trim() === '' || scopes.length === 0}>
          {m.make}
        </Button>
      </div>
    </form>
  )
}

/** The secret, this once, with how it is used. */
export function ShownKey({ made, onClose }: { made: ApiKeyMade; onClose(): void }) {
  const m = useMessages(apiKeysMessages)
  return (
    <div className={classes.form}>
      <p className={classes.once} role="alert">
        <TriangleAlert size={16} aria-hidden />
        {m.once}
      </p>
      <CodeLine value={made.key} what={m.key} />
      <p>{m.usage}</p>
      <code dir="ltr">Authorization: Bearer {made.prefix}…</code>
      <div className={classes.buttons}>
        <Button onClick={onClose}>{m.done}</Button>
      </div>
    </div>
  )
}
