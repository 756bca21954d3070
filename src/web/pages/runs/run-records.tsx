import { SegmentedControl } from '@mantine/core'
import FileCheck from 'lucide-react/icons/file-check'
import { useState } from 'react'
import { Link } from 'wouter'
import type { z } from 'zod'
import type { Run } from '../../../schemas/runs.ts'
import type { RecordOutcome, RunRecordsResponse } from '../../../schemas/sync-plan.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { useCursorList } from '../../api/use-cursor-list.ts'
import { Badge, type Tone } from '../../components/badge.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ListView } from '../../components/list-view.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Section } from '../../components/section.tsx'
import { Table } from '../../components/table.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { RecordChanges } from '../../runs/record-changes.tsx'
import { runsMessages } from './messages.ts'
import classes from './run-records.module.css'

type RunRecord = z.infer<typeof RunRecordsResponse>['data'][number]
const TONE: Record<RecordOutcome, Tone> = { new: 'good', updated: 'info', removed: 'bad', restored: 'good' }

/** What the run did to each record, with the fields before and after. */
export function RunRecords({ run, dry }: { run: Run; dry: boolean }) {
  const m = useMessages(runsMessages)
  const [outcome, setOutcome] = useState<RecordOutcome | ''>('')
  const names: Record<RecordOutcome, string> = {
    new: m.outcomeNew,
    updated: m.outcomeUpdated,
    removed: m.outcomeRemoved,
    restored: m.outcomeRestored,
  }
  const list = useCursorList<RunRecord>(['run-records', run.id, run.state], `${ZOHO}/sync/runs/${run.id}/records`, {
    query: { outcome, limit: 50 },
  })
  return (
    <Section
      title={m.changes}
      description={dry ? m.changesHintDry : m.changesHint}
      flush
      actions={
        <SegmentedControl
          size="xs"
          aria-label={m.outcome}
          value={outcome}
          onChange={(value) => setOutcome(value as RecordOutcome | '')}
          data={[
            { value: '', label: m.all },
            { value: 'new', label: m.outcomeNew },
            { value: 'updated', label: m.outcomeUpdated },
            { value: 'removed', label: m.outcomeRemoved },
          ]}
        />
      }
    >
      <ListView
        list={list}
        empty={
          <EmptyState
            icon={FileCheck}
            {...(run.finished_at === null
              ? { title: m.noChangesYet, text: m.noChangesYetText }
              : { title: m.noChanges, text: m.noChangesText })}
          />
        }
      >
        {(records) => (
          <Table
            label={m.changes}
            rows={records}
            rowKey={(record) => record.record_id}
            columns={[
              {
                key: 'record',
                header: m.record,
                cell: (record) => (
                  <span className={classes.record}>
                    {record.product_id ? (
                      <Link href={`/products/${record.product_id}`}>
                        <bdi>{record.name ?? record.record_id}</bdi>
                      </Link>
                    ) : (
                      <bdi>{record.name ?? record.record_id}</bdi>
                    )}
                    <span className={classes.sku}>
                      <Ltr mono>{record.sku ?? record.record_id}</Ltr>
                    </span>
                  </span>
                ),
              },
              { key: 'outcome', header: m.outcome, cell: ({ outcome: made }) => <Badge tone={TONE[made]}>{names[made]}</Badge> },
              { key: 'fields', header: m.fields, cell: ({ changes }) => <RecordChanges changes={changes} /> },
            ]}
          />
        )}
      </ListView>
    </Section>
  )
}
