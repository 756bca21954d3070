import { Button, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import ExternalLink from 'lucide-react/icons/external-link'
import { type FormEvent, useState } from 'react'
import type { ZohoSettings } from '../../../schemas/zoho-settings.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { CodeLine } from '../../components/code-line.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Section } from '../../components/section.tsx'
import { useNow } from '../../components/time.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { consoleAddress } from './data-centers.ts'
import { connectionMessages } from './messages.ts'
import { scopesQuery } from './scopes.tsx'
import classes from './self-client.module.css'

/** The longest time that Zoho's console offers for a code. */
const CODE_LIFE_MS = 10 * 60_000

/**
 * Exchanges a code of the API console for a refresh token. Copying the scopes starts the countdown:
 * a code is made right after that.
 */
export function SelfClient({ settings }: { settings: ZohoSettings }) {
  const m = useMessages(connectionMessages)
  const client = useQueryClient()
  const scopes = useQuery(scopesQuery)
  const [code, setCode] = useState('')
  const [copiedAt, setCopiedAt] = useState<number | null>(null)
  const authorize = useMutation({
    mutationFn: () => request<unknown>(`${ZOHO}/authorize`, { method: 'POST', body: { code: code.trim() } }),
    onSuccess: () => {
      setCode('')
      setCopiedAt(null)
      toast(m.connected)
      void client.invalidateQueries({ queryKey: ['zoho'] })
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    authorize.mutate()
  }
  return (
    <Section title={m.selfClient} description={m.selfClientHint}>
      <ol className={classes.steps}>
        <li>
          {m.selfStep1}{' '}
          <a href={consoleAddress(settings.data_center)} target="_blank" rel="noreferrer">
            {m.openConsole} <ExternalLink size={12} aria-hidden />
          </a>
        </li>
        <li>
          {m.selfStep2}
          {scopes.data && <CodeLine value={scopes.data.line} what={m.scopes} onCopy={() => setCopiedAt(Date.now())} />}
        </li>
        <li>
          {m.selfStep3}
          <form className={classes.form} onSubmit={submit}>
            <TextInput
              aria-label={m.code}
              placeholder={m.code}
              dir="ltr"
              autoComplete="off"
              spellCheck={false}
              value={code}
              onChange={(event) => setCode(event.currentTarget.value)}
              className={classes.code}
            />
            <Button type="submit" loading={authorize.isPending} disabled={code.trim() === ''}>
              {m.codeSend}
            </Button>
          </form>
          <p className={classes.left}>{copiedAt !== null && <Countdown from={copiedAt} />}</p>
          {authorize.error && <ErrorCard error={authorize.error} />}
        </li>
      </ol>
    </Section>
  )
}

function Countdown({ from }: { from: number }) {
  const m = useMessages(connectionMessages)
  const format = useFormat()
  const left = from + CODE_LIFE_MS - useNow(1_000)
  return <>{left > 0 ? m.codeLeft({ time: format.duration(left) }) : m.codeOver}</>
}
