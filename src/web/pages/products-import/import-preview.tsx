import { Button } from '@mantine/core'
import FolderX from 'lucide-react/icons/folder-x'
import { useEffect, useState } from 'react'
import { Link } from 'wouter'
import type { Params } from '../../../messages/message.ts'
import { Badge } from '../../components/badge.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Section } from '../../components/section.tsx'
import { ServerText } from '../../components/server-text.tsx'
import { Statistic, Statistics } from '../../components/statistic.tsx'
import { Table } from '../../components/table.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import classes from './import-preview.module.css'
import { importMessages } from './messages.ts'
import type { Preview } from './products-import-page.tsx'
import { readZipDirectory, type ZipDirectory } from './zip-images.ts'
import { ZipThumbnail } from './zip-thumbnail.tsx'

type Kind = 'matched' | 'ambiguous' | 'unmatched' | 'unreadable'
const KINDS: Kind[] = ['matched', 'ambiguous', 'unmatched', 'unreadable']
/** A step of the lists; the counts above are whole. */
const STEP = 50

interface ImportPreviewProps {
  /** The ZIP that was chosen, for the thumbnails. */
  file: File
  preview: Preview
  starting: boolean
  onStart(): void
}

/** What each file of the ZIP would become, before anything is done. */
export function ImportPreview({ file, preview, starting, onStart }: ImportPreviewProps) {
  const m = useMessages(importMessages)
  const format = useFormat()
  const { counts } = preview
  const [directory, setDirectory] = useState<ZipDirectory>()
  useEffect(() => {
    void readZipDirectory(file).then(setDirectory, () => undefined)
  }, [file])
  const words: Record<Kind, string> = { matched: m.matched, ambiguous: m.ambiguous, unmatched: m.unmatched, unreadable: m.unreadable }
  return (
    <>
      <Section
        title={m.preview}
        description={m.expires({ at: format.dateTime(preview.expires_at) })}
        actions={
          counts.matched > 0 && (
            <Button loading={starting} onClick={onStart}>
              {m.start({ count: counts.matched })}
            </Button>
          )
        }
      >
        <Statistics>
          {KINDS.map((kind) => (
            <Statistic
              key={kind}
              label={words[kind]}
              value={format.number(counts[kind])}
              {...(kind !== 'matched' && counts[kind] > 0 && { tone: 'warn' as const })}
            />
          ))}
        </Statistics>
        {counts.matched === 0 && <EmptyState icon={FolderX} title={m.nothing} text={m.nothingText} />}
      </Section>
      {KINDS.filter((kind) => counts[kind] > 0).map((kind) => (
        <Section key={kind} title={`${words[kind]} (${format.number(counts[kind])})`} flush>
          <Files kind={kind} file={file} directory={directory} preview={preview} label={words[kind]} />
        </Section>
      ))}
    </>
  )
}

interface FileRow {
  name: string
  product: { id: string; words: string; sku: string | null } | null
  isPrimary: boolean
  why: { code: string; message: string; params?: Params | undefined } | null
}

interface FilesProps {
  kind: Kind
  file: File
  directory: ZipDirectory | undefined
  preview: Preview
  label: string
}

function Files({ kind, file, directory, preview, label }: FilesProps) {
  const m = useMessages(importMessages)
  const format = useFormat()
  const [shown, setShown] = useState(STEP)
  const rows: FileRow[] =
    kind === 'matched'
      ? preview.matched.map(({ name, sku, product_id, product_name, is_primary }) => ({
          name,
          product: { id: product_id, words: product_name ?? sku ?? product_id.slice(0, 8), sku },
          isPrimary: is_primary === true,
          why: null,
        }))
      : preview[kind].map(({ name, code, message, params }) => ({ name, product: null, isPrimary: false, why: { code, message, params } }))
  const total = preview.counts[kind]
  return (
    <>
      <Table
        label={label}
        rows={rows.slice(0, shown)}
        rowKey={({ name }) => name}
        columns={[
          {
            key: 'file',
            header: m.file,
            cell: ({ name, isPrimary }) => (
              <span className={classes.file}>
                {kind !== 'unreadable' && <ZipThumbnail file={file} directory={directory} name={name} />}
                <span>
                  <Ltr mono>{name}</Ltr> {isPrimary && <Badge tone="info">{m.becomesPrimary}</Badge>}
                </span>
              </span>
            ),
          },
          kind === 'matched'
            ? {
                key: 'product',
                header: m.product,
                cell: ({ product }) =>
                  product && (
                    <span className={classes.product}>
                      <Link href={`/products/${product.id}`}>
                        <bdi>{product.words}</bdi>
                      </Link>
                      {product.sku !== null && (
                        <span className={classes.sku}>
                          <Ltr mono>{product.sku}</Ltr>
                        </span>
                      )}
                    </span>
                  ),
              }
            : {
                key: 'why',
                header: m.why,
                cell: ({ why }) =>
                  why && (
                    <ServerText code={why.code} params={why.params} part="what">
                      {why.message}
                    </ServerText>
                  ),
              },
        ]}
      />
      {shown < total && (
        <div className={classes.more}>
          <span>{m.shownOf({ shown: format.number(Math.min(shown, rows.length)), count: format.number(total) })}</span>
          {shown < rows.length && (
            <Button size="xs" variant="default" onClick={() => setShown(shown + STEP * 4)}>
              {m.show}
            </Button>
          )}
        </div>
      )}
    </>
  )
}
