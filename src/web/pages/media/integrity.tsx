import { Button } from '@mantine/core'
import Download from 'lucide-react/icons/download'
import ScanSearch from 'lucide-react/icons/scan-search'
import ShieldCheck from 'lucide-react/icons/shield-check'
import Wrench from 'lucide-react/icons/wrench'
import { useState } from 'react'
import { Link } from 'wouter'
import type { IntegrityFinding } from '../../../schemas/media.ts'
import { useHasRole } from '../../app/session.tsx'
import { Badge } from '../../components/badge.tsx'
import { Callout } from '../../components/callout.tsx'
import { Confirm } from '../../components/confirm.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { Table } from '../../components/table.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { downloadFindings } from './csv.ts'
import classes from './media-page.module.css'
import { mediaMessages } from './messages.ts'
import { type Integrity, useIntegrity, useMediaEdit } from './use-media.ts'

/** After a week a report says little about today. */
const OLD_AFTER_MS = 7 * 24 * 3_600_000

/**
 * What the last check of the files found, how old that is, and the repair: one finding or all of
 * them.
 */
export function IntegritySection({ onStarted }: { onStarted(runId: string): void }) {
  const m = useMessages(mediaMessages)
  const mayEdit = useHasRole('operator')
  const format = useFormat()
  const query = useIntegrity()
  const { scan, repair } = useMediaEdit()
  const [asking, setAsking] = useState(false)
  const found = query.data?.findings.length ?? 0
  const repairOne = (sha256: string) => repair.mutate([sha256], { onSuccess: onStarted })
  return (
    <Section
      title={m.integrity}
      description={
        query.data?.scanned_at ? `${m.checkedAt({ at: format.relative(query.data.scanned_at) })}. ${m.integrityHint}` : m.integrityHint
      }
      flush
      actions={
        mayEdit && (
          <>
            {found > 0 && (
              <>
                <Button
                  size="xs"
                  variant="default"
                  leftSection={<Download size={14} aria-hidden />}
                  onClick={() => query.data && downloadFindings(query.data.findings)}
                >
                  {m.downloadCsv}
                </Button>
                <Button size="xs" leftSection={<Wrench size={14} aria-hidden />} onClick={() => setAsking(true)}>
                  {m.repairAll}
                </Button>
              </>
            )}
            <Button
              size="xs"
              variant="default"
              leftSection={<ScanSearch size={14} aria-hidden />}
              loading={scan.isPending}
              onClick={() => scan.mutate(undefined, { onSuccess: onStarted })}
            >
              {m.scan}
            </Button>
          </>
        )
      }
    >
      {(scan.error ?? (asking ? null : repair.error)) && (
        <div className={classes.pad}>
          <ErrorCard error={scan.error ?? repair.error} />
        </div>
      )}
      <QueryBoundary query={query} skeleton={<RowsSkeleton rows={3} />}>
        {(data) => (
          <Findings data={data} mayEdit={mayEdit} repairing={repair.isPending ? repair.variables?.[0] : undefined} onRepair={repairOne} />
        )}
      </QueryBoundary>
      <Confirm
        opened={asking}
        title={m.repairAllTitle}
        action={m.repairAll}
        pending={repair.isPending}
        error={repair.error}
        onClose={() => setAsking(false)}
        onConfirm={() =>
          repair.mutate(undefined, {
            onSuccess: (runId) => {
              setAsking(false)
              onStarted(runId)
            },
          })
        }
      >
        <p>{m.repairAllText}</p>
      </Confirm>
    </Section>
  )
}

interface FindingsProps {
  data: Integrity
  mayEdit: boolean
  repairing: string | undefined
  onRepair(sha256: string): void
}

function Findings({ data, mayEdit, repairing, onRepair }: FindingsProps) {
  const m = useMessages(mediaMessages)
  const format = useFormat()
  if (data.scanned_at === null) return <EmptyState icon={ScanSearch} title={m.never} text={m.neverText} />
  const old = (data.age_ms ?? 0) > OLD_AFTER_MS
  const kindOf = ({ kind }: IntegrityFinding) => m[`kind_${kind}`]
  return (
    <>
      {old && (
        <div className={classes.pad}>
          <Callout tone="warn" title={m.old} />
        </div>
      )}
      {data.findings.length === 0 ? (
        <EmptyState icon={ShieldCheck} title={m.clean} text={m.cleanText({ count: format.number(data.checked) })} />
      ) : (
        <Table
          label={m.integrity}
          rows={data.findings}
          rowKey={({ kind, sha256 }) => `${kind} ${sha256}`}
          columns={[
            {
              key: 'kind',
              header: m.finding,
              cell: (finding) => (
                <Badge tone={finding.kind === 'missing' || finding.kind === 'wrong_hash' ? 'bad' : 'warn'}>{kindOf(finding)}</Badge>
              ),
            },
            {
              key: 'file',
              header: m.file,
              cell: ({ sha256, size, file }) => (
                <>
                  <Ltr mono>{file ?? `${sha256.slice(0, 12)}…`}</Ltr>{' '}
                  {size !== null && <span className={classes.muted}>{format.bytes(size)}</span>}
                </>
              ),
            },
            {
              key: 'products',
              header: m.products,
              cell: ({ products }) =>
                products.length === 0 ? (
                  <span className={classes.muted}>{m.nobody}</span>
                ) : (
                  <span className={classes.products}>
                    {products.map(({ id, name }) => (
                      <Link key={id} href={`/products/${id}`}>
                        <bdi>{name}</bdi>
                      </Link>
                    ))}
                  </span>
                ),
            },
            { key: 'repair', header: m.whatRepairDoes, cell: ({ repair }) => m[`repair_${repair}`] },
            {
              key: 'do',
              header: '',
              end: true,
              cell: ({ sha256, repair }) =>
                mayEdit &&
                repair !== 'upload_again' && (
                  <Button size="compact-sm" variant="default" loading={repairing === sha256} onClick={() => onRepair(sha256)}>
                    {m.repair}
                  </Button>
                ),
            },
          ]}
        />
      )}
    </>
  )
}
