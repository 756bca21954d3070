import { Button, NativeSelect } from '@mantine/core'
import GitCompare from 'lucide-react/icons/git-compare'
import { useState } from 'react'
import { useSearchParams } from 'wouter'
import type { PullSession, SessionComparison } from '../../../schemas/pulls.ts'
import { BackLink } from '../../components/back-link.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Page } from '../../components/page.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { Table } from '../../components/table.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { pullsMessages } from '../../pulls/messages.ts'
import { sessionMoment, useModuleName } from '../../pulls/pull-labels.tsx'
import { useComparison, usePullSessions } from '../../pulls/use-pulls.ts'
import { ComparedRecords } from './compared-records.tsx'
import classes from './pull-compare-page.module.css'

export default function PullComparePage() {
  const m = useMessages(pullsMessages)
  const sessions = usePullSessions()
  // In the address, so that a comparison can be shared.
  const [search, setSearch] = useSearchParams()
  const [newest, older] = sessions.data ?? []
  const a = search.get('a') ?? older?.session ?? ''
  const b = search.get('b') ?? newest?.session ?? ''
  const choose = (name: 'a' | 'b', value: string) => setSearch({ ...(a && { a }), ...(b && { b }), [name]: value }, { replace: true })
  return (
    <Page title={m.compareTitle} intro={m.compareIntro} above={<BackLink href="/pulls">{m.back}</BackLink>}>
      <QueryBoundary query={sessions} skeleton={<RowsSkeleton rows={2} />}>
        {(list) => (
          <div className={classes.choice}>
            <Choice label={m.first} sessions={list} value={a} other={b} onChange={(value) => choose('a', value)} />
            <Choice label={m.second} sessions={list} value={b} other={a} onChange={(value) => choose('b', value)} />
          </div>
        )}
      </QueryBoundary>
      <Section title={m.modules} flush>
        {a && b && a !== b ? <Comparison a={a} b={b} /> : <EmptyState icon={GitCompare} title={m.chooseTwo} text={m.chooseTwoText} />}
      </Section>
    </Page>
  )
}

interface ChoiceProps {
  label: string
  sessions: PullSession[]
  value: string
  other: string
  onChange(session: string): void
}

function Choice({ label, sessions, value, other, onChange }: ChoiceProps) {
  const m = useMessages(pullsMessages)
  const format = useFormat()
  return (
    <NativeSelect label={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      <option value="">{m.choose}</option>
      {sessions.map(({ session, started_at, records }) => {
        // To the second: two sessions of one minute are two.
        const at = sessionMoment(session) ?? started_at
        return (
          <option key={session} value={session} disabled={session === other}>
            {format.dateTimeSeconds(at)} · {m.recordsOf({ count: records })}
          </option>
        )
      })}
    </NativeSelect>
  )
}

/** Only then can anything be said about single records. */
const isInBoth = ({ a, b }: { a: number | null; b: number | null }): boolean => a !== null && b !== null

function Comparison({ a, b }: { a: string; b: string }) {
  const m = useMessages(pullsMessages)
  const format = useFormat()
  const moduleName = useModuleName()
  const query = useComparison(a, b)
  const [shown, setShown] = useState<Shown | null>(null)
  const kinds = { only_a: m.onlyFirst, only_b: m.onlySecond, changed: m.changedBetween }
  return (
    <QueryBoundary query={query} skeleton={<RowsSkeleton rows={5} />}>
      {({ modules }) =>
        modules.length === 0 ? (
          <EmptyState icon={GitCompare} title={m.nothingCommon} />
        ) : (
          <>
            <Table
              label={m.modules}
              rows={modules}
              rowKey={({ module }) => module}
              columns={[
                { key: 'module', header: m.module, cell: ({ module }) => moduleName(module) },
                {
                  key: 'a',
                  header: m.first,
                  end: true,
                  cell: ({ records }) => (records.a === null ? m.notInSession : format.number(records.a)),
                },
                {
                  key: 'b',
                  header: m.second,
                  end: true,
                  cell: ({ records }) => (records.b === null ? m.notInSession : format.number(records.b)),
                },
                {
                  key: 'only_a',
                  header: m.onlyFirst,
                  end: true,
                  cell: (row) => <Figure row={row} kind="only_a" onOpen={setShown} />,
                },
                {
                  key: 'only_b',
                  header: m.onlySecond,
                  end: true,
                  cell: (row) => <Figure row={row} kind="only_b" onOpen={setShown} />,
                },
                {
                  key: 'changed',
                  header: m.changedBetween,
                  end: true,
                  cell: (row) => <Figure row={row} kind="changed" onOpen={setShown} />,
                },
                {
                  key: 'same',
                  header: m.same,
                  end: true,
                  secondary: true,
                  cell: ({ records, same }) => (isInBoth(records) ? format.number(same) : '—'),
                },
              ]}
            />
            {shown && (
              <ComparedRecords
                title={`${moduleName(shown.row.module)}: ${kinds[shown.kind]}`}
                sessions={{ a, b }}
                module={shown.row.module}
                found={shown.row[shown.kind]}
                onClose={() => setShown(null)}
              />
            )}
          </>
        )
      }
    </QueryBoundary>
  )
}

type Row = SessionComparison['modules'][number]
interface Shown {
  row: Row
  kind: 'only_a' | 'only_b' | 'changed'
}

/** How many, as the way to which ones. */
function Figure({ row, kind, onOpen }: Shown & { onOpen(shown: Shown): void }) {
  const format = useFormat()
  if (!isInBoth(row.records)) return '—'
  const { count } = row[kind]
  if (count === 0) return format.number(0)
  return (
    <Button variant="subtle" size="compact-sm" onClick={() => onOpen({ row, kind })}>
      {format.number(count)}
    </Button>
  )
}
