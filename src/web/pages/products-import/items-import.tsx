import { Button, Checkbox, FileButton } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { sendForm } from '../../api/send-form.ts'
import { HOME } from '../../app/paths.ts'
import { ErrorCard } from '../../components/error-card.tsx'
import { Section } from '../../components/section.tsx'
import { useUnsavedChanges } from '../../components/use-unsaved-changes.ts'
import { useMessages } from '../../i18n/language.tsx'
import { itemsImportMessages } from './items-import-messages.ts'
import classes from './products-import-page.module.css'

/** A JSON file in, then the page of its run, which says what was taken and what was left. */
export function ItemsImport() {
  const m = useMessages(itemsImportMessages)
  const [, navigate] = useLocation()
  const [file, setFile] = useState<File | null>(null)
  const [dryRun, setDryRun] = useState(true)
  const [ownedByZoho, setOwnedByZoho] = useState(false)
  const send = useMutation({
    mutationFn: (chosen: File) => {
      const form = new FormData()
      form.append('file', chosen, chosen.name)
      const query = new URLSearchParams({ dry_run: String(dryRun), owned_by_zoho: String(ownedByZoho) })
      return sendForm<{ run_id: string }>(`/api/imports/items?${query}`, form, {
        signal: new AbortController().signal,
        onProgress: () => {},
      })
    },
    onSuccess: ({ run_id }) => navigate(`${HOME}/runs/${run_id}`),
  })
  useUnsavedChanges(send.isPending)
  return (
    <Section title={m.title} description={m.intro}>
      <form
        className={classes.items}
        onSubmit={(event) => {
          event.preventDefault()
          if (file) send.mutate(file)
        }}
      >
        <FileButton accept=".json,application/json" onChange={setFile}>
          {(props) => (
            <Button {...props} variant="default">
              {file ? <bdi>{file.name}</bdi> : m.choose}
            </Button>
          )}
        </FileButton>
        <Checkbox checked={dryRun} onChange={(event) => setDryRun(event.currentTarget.checked)} label={m.dryRun} />
        <Checkbox
          checked={ownedByZoho}
          onChange={(event) => setOwnedByZoho(event.currentTarget.checked)}
          label={m.ownedByZoho}
          description={m.ownedByZohoText}
        />
        <Button type="submit" loading={send.isPending} disabled={!file}>
          {dryRun ? m.preview : m.start}
        </Button>
        {send.error && <ErrorCard error={send.error} />}
      </form>
    </Section>
  )
}
