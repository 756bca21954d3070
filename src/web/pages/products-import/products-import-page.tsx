import { Button, FileButton } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import FileArchive from 'lucide-react/icons/file-archive'
import { useRef, useState } from 'react'
import { useLocation } from 'wouter'
import type { z } from 'zod'
import type { ImportPreviewResponse } from '../../../schemas/images.ts'
import { request } from '../../api/request.ts'
import { sendForm } from '../../api/send-form.ts'
import { HOME } from '../../app/paths.ts'
import { useHasRole } from '../../app/session.tsx'
import { BackLink } from '../../components/back-link.tsx'
import { Callout } from '../../components/callout.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Page } from '../../components/page.tsx'
import { ProgressBar } from '../../components/progress-bar.tsx'
import { Section } from '../../components/section.tsx'
import { useFileDrop } from '../../components/use-file-drop.ts'
import { useUnsavedChanges } from '../../components/use-unsaved-changes.ts'
import { useMessages } from '../../i18n/language.tsx'
import { ImportPreview } from './import-preview.tsx'
import { ItemsImport } from './items-import.tsx'
import { importMessages } from './messages.ts'
import classes from './products-import-page.module.css'

export type Preview = z.infer<typeof ImportPreviewResponse>['data']
const IMPORT = '/api/products/images/import'

export default function ProductsImportPage() {
  const m = useMessages(importMessages)
  const mayImport = useHasRole('operator')
  return (
    <Page title={m.title} intro={m.intro} above={<BackLink href="/products">{m.back}</BackLink>}>
      {mayImport ? (
        <>
          <Import />
          <ItemsImport />
        </>
      ) : (
        <Callout tone="info" title={m.notYours}>
          {m.notYoursText}
        </Callout>
      )}
    </Page>
  )
}

/** A ZIP in, what it would do, then the run. */
function Import() {
  const m = useMessages(importMessages)
  const [, navigate] = useLocation()
  const [share, setShare] = useState(0)
  const abort = useRef<AbortController>(null)
  const preview = useMutation({
    mutationFn: async (file: File) => {
      abort.current = new AbortController()
      setShare(0)
      const form = new FormData()
      form.append('file', file, file.name)
      const { data } = await sendForm<{ data: Preview }>(`${IMPORT}/preview`, form, { signal: abort.current.signal, onProgress: setShare })
      return data
    },
  })
  const start = useMutation({
    mutationFn: (id: string) => request<{ run_id: string }>(`${IMPORT}/${id}`, { method: 'POST', body: {} }),
    onSuccess: ({ run_id }) => navigate(`${HOME}/runs/${run_id}`),
  })
  const take = (files: File[]) => {
    start.reset()
    if (files[0]) preview.mutate(files[0])
  }
  const { over, handlers } = useFileDrop(take, !preview.isPending)
  useUnsavedChanges(preview.isPending)
  const stopped = preview.error instanceof DOMException && preview.error.name === 'AbortError'
  return (
    <>
      <Section title={m.images} description={m.imagesHint}>
        <div className={classes.drop} data-over={over || undefined} {...handlers}>
          <FileArchive size={26} aria-hidden className={classes.icon} />
          {preview.isPending ? (
            <div className={classes.sending}>
              <p>
                <bdi>{share < 1 ? m.sending({ name: preview.variables.name }) : m.reading}</bdi>
              </p>
              <ProgressBar label={m.sending({ name: preview.variables.name })} share={share < 1 ? share : null} />
              <Button variant="default" size="xs" onClick={() => abort.current?.abort(new DOMException('stopped', 'AbortError'))}>
                {m.stop}
              </Button>
            </div>
          ) : (
            <>
              <p className={classes.words}>{m.drop}</p>
              <FileButton accept=".zip,application/zip" onChange={(file) => file && take([file])}>
                {(props) => (
                  <Button {...props} variant={preview.data ? 'default' : 'filled'}>
                    {preview.data ? m.chooseOther : m.choose}
                  </Button>
                )}
              </FileButton>
            </>
          )}
        </div>
      </Section>
      {preview.error && !stopped && <ErrorCard error={preview.error} />}
      {start.error && <ErrorCard error={start.error} />}
      {preview.data ? (
        <ImportPreview
          file={preview.variables}
          preview={preview.data}
          starting={start.isPending}
          onStart={() => start.mutate(preview.data.id)}
        />
      ) : (
        <Section title={m.how}>
          <dl className={classes.how}>
            {[
              [m.howSku, m.exampleSku],
              [m.howName, m.exampleName],
              [m.howZoho, m.exampleZoho],
            ].map(([words, example]) => (
              <div key={example}>
                <dt>{words}</dt>
                <dd>
                  <Ltr mono>{example}</Ltr>
                </dd>
              </div>
            ))}
          </dl>
        </Section>
      )}
    </>
  )
}
