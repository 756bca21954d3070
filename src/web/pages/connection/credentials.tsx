import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import ExternalLink from 'lucide-react/icons/external-link'
import { type FormEvent, useState } from 'react'
import type { DataCenter } from '../../../facts/data-centers.ts'
import type { Source, ZohoSettings, ZohoSettingsBody } from '../../../schemas/zoho-settings.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { settingsKey } from '../../api/zoho.ts'
import { CodeLine } from '../../components/code-line.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Section } from '../../components/section.tsx'
import { toast } from '../../components/toast.tsx'
import { useUnsavedChanges } from '../../components/use-unsaved-changes.ts'
import { useMessages } from '../../i18n/language.tsx'
import { ConnectButton } from './connect-button.tsx'
import classes from './credentials.module.css'
import { accountsHost, consoleAddress, DATA_CENTER_CHOICES } from './data-centers.ts'
import { connectionMessages } from './messages.ts'
import { scopesQuery } from './scopes.tsx'
import { SecretField } from './secret-field.tsx'

type Draft = Pick<ZohoSettingsBody, 'data_center' | 'client_id' | 'client_secret' | 'refresh_token' | 'webhook_secret' | 'organization_id'>

/**
 * The stored credentials. Only what was touched is sent; a secret that was typed leaves the page's
 * memory when it is saved.
 */
export function Credentials({ settings }: { settings: ZohoSettings }) {
  const m = useMessages(connectionMessages)
  const client = useQueryClient()
  const scopes = useQuery(scopesQuery)
  const [draft, setDraft] = useState<Draft>({})
  const changed = Object.keys(draft).length > 0
  useUnsavedChanges(changed)
  const save = useMutation({
    mutationFn: () => request<{ data: ZohoSettings }>(ZOHO, { method: 'POST', body: draft }),
    onSuccess: ({ data }) => {
      client.setQueryData(settingsKey, data)
      void client.invalidateQueries({ queryKey: ['zoho'] })
      setDraft({})
      toast(m.saved)
    },
  })
  /** A field that is back at its stored value is no change. */
  const change = <Key extends keyof Draft>(key: Key, value: Draft[Key], stored?: string | null) =>
    setDraft(({ [key]: _before, ...rest }) => (value === undefined || value === stored ? rest : { ...rest, [key]: value }))
  const submit = (event: FormEvent) => {
    event.preventDefault()
    save.mutate()
  }
  const fixed = (source: Source) => (source === 'environment' ? m.fromEnvironment : source === 'gcp' ? m.fromGcp : undefined)
  const center: DataCenter = draft.data_center ?? settings.data_center
  const centerFixed = fixed(settings.sources.data_center)
  const idFixed = fixed(settings.sources.client_id)
  const organizationFixed = fixed(settings.sources.organization_id)
  const secret = (key: 'client_secret' | 'refresh_token' | 'webhook_secret', label: string, hint?: string) => (
    <SecretField
      label={label}
      hint={fixed(settings.sources[key]) ?? hint}
      fixed={fixed(settings.sources[key]) !== undefined}
      masked={settings[key]}
      changedAt={settings.changed_at[key]}
      draft={draft[key]}
      onChange={(value) => change(key, value)}
    />
  )
  return (
    <Section title={m.setup} description={m.setupHint}>
      <ol className={classes.steps}>
        <li>
          {m.step1}{' '}
          <a href={consoleAddress(center)} target="_blank" rel="noreferrer">
            {m.openConsole} <ExternalLink size={12} aria-hidden />
          </a>
          <div className={classes.part}>{scopes.data && <CodeLine value={scopes.data.redirect_uri} what={m.redirect} />}</div>
        </li>
        <li>
          {m.step2}
          <form className={`${classes.form} ${classes.part}`} onSubmit={submit} autoComplete="off">
            <div className={classes.fields}>
              <NativeSelect
                label={m.dataCenter}
                description={centerFixed ?? m.dataCenterHint({ host: accountsHost(center) })}
                disabled={centerFixed !== undefined}
                value={center}
                onChange={(event) => change('data_center', event.currentTarget.value as DataCenter, settings.data_center)}
                data={DATA_CENTER_CHOICES}
              />
              <TextInput
                label={m.organizationId}
                description={organizationFixed ?? m.organizationsHint}
                disabled={organizationFixed !== undefined}
                inputMode="numeric"
                dir="ltr"
                value={draft.organization_id ?? settings.organization_id ?? ''}
                onChange={(event) => change('organization_id', event.currentTarget.value.trim(), settings.organization_id ?? '')}
              />
              <TextInput
                label={m.clientId}
                description={idFixed}
                disabled={idFixed !== undefined}
                dir="ltr"
                spellCheck={false}
                autoComplete="off"
                value={draft.client_id ?? settings.client_id ?? ''}
                onChange={(event) => change('client_id', event.currentTarget.value.trim(), settings.client_id ?? '')}
              />
              {secret('client_secret', m.clientSecret)}
              {secret('refresh_token', m.refreshToken)}
              {secret('webhook_secret', m.webhookSecret, m.webhookHint)}
            </div>
            {save.error && <ErrorCard error={save.error} />}
            <div className={classes.buttons}>
              {!changed && <span className={classes.none}>{m.noChanges}</span>}
              {changed && (
                <Button variant="default" onClick={() => setDraft({})}>
                  {m.discard}
                </Button>
              )}
              <Button type="submit" disabled={!changed} loading={save.isPending}>
                {m.save}
              </Button>
            </div>
          </form>
        </li>
        <li>
          {m.step3}
          <div className={classes.part}>
            <ConnectButton settings={settings} />
          </div>
        </li>
      </ol>
    </Section>
  )
}
