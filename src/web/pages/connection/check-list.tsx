import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import CircleCheck from 'lucide-react/icons/circle-check'
import CircleX from 'lucide-react/icons/circle-x'
import ListChecks from 'lucide-react/icons/list-checks'
import { Fragment, useState } from 'react'
import type { z } from 'zod'
import type { Check, ConnectionTest, TestHistoryResponse } from '../../../schemas/connection.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { ErrorCard } from '../../components/error-card.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { ServerText } from '../../components/server-text.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { ExactTime, RelativeTime } from '../../components/time.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import classes from './check-list.module.css'
import { connectionMessages } from './messages.ts'
import { ScopeDescription } from './scope-description.tsx'

const testsKey = ['zoho', 'tests'] as const

/**
 * The last test of the connection, line by line, each with its time and, where it failed, the remedy;
 * below it the tests before it.
 */
export function CheckList() {
  const m = useMessages(connectionMessages)
  const client = useQueryClient()
  const history = useQuery({
    queryKey: testsKey,
    queryFn: ({ signal }) => request<z.infer<typeof TestHistoryResponse>>(`${ZOHO}/test/history`, { signal }).then(({ data }) => data),
  })
  const test = useMutation({
    mutationFn: () => request<unknown>(`${ZOHO}/test`, { method: 'POST' }),
    // The test has told something about the state, the scopes and the organization, whatever came
    // out.
    onSettled: () => client.invalidateQueries({ queryKey: ['zoho'] }),
  })
  const [last, ...earlier] = history.data ?? []
  return (
    <Section
      title={m.testTitle}
      description={m.testHint}
      flush={last !== undefined || test.isPending}
      actions={
        <Button
          variant="default"
          size="xs"
          leftSection={<ListChecks size={15} aria-hidden />}
          loading={test.isPending}
          onClick={() => test.mutate()}
        >
          {m.test}
        </Button>
      }
    >
      {test.error && <ErrorCard error={test.error} />}
      {test.isPending ? (
        <RowsSkeleton rows={6} height={40} />
      ) : (
        <QueryBoundary query={history} skeleton={<RowsSkeleton rows={6} height={40} />}>
          {() => (last ? <Checks test={last} /> : <p className={classes.idle}>{m.testEmpty}</p>)}
        </QueryBoundary>
      )}
      {earlier.length > 0 && (
        <div className={classes.earlier}>
          <h3>{m.testsEarlier}</h3>
          {earlier.map((it) => (
            <EarlierTest key={it.id} test={it} />
          ))}
        </div>
      )}
    </Section>
  )
}

/** One line, which opens what the checks found. */
function EarlierTest({ test }: { test: ConnectionTest }) {
  const m = useMessages(connectionMessages)
  const [open, setOpen] = useState(false)
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <TestOutcome ok={test.ok} />
        <ExactTime at={test.tested_at} />
        <span className={classes.by}>{m.testBy({ name: test.tested_by })}</span>
      </summary>
      {open && <Checks test={test} />}
    </details>
  )
}

function TestOutcome({ ok }: { ok: boolean }) {
  const m = useMessages(connectionMessages)
  return ok ? (
    <CircleCheck size={17} aria-label={m.checkGood} className={classes.icon} />
  ) : (
    <CircleX size={17} aria-label={m.checkBad} className={classes.icon} data-bad />
  )
}

function Checks({ test }: { test: ConnectionTest }) {
  const m = useMessages(connectionMessages)
  const format = useFormat()
  const names: Record<string, string> = {
    sign_in: m.checkSignIn,
    organization: m.organization,
    item: m.checkItem,
    picture: m.checkImage,
    quota: m.checkQuota,
    clock: m.checkClock,
  }
  const bad = test.checks.filter(({ ok }) => !ok).length
  return (
    <>
      <p className={classes.sum} role="status">
        {test.ok ? m.testAllGood : m.testProblems({ count: format.number(bad) })}{' '}
        <span className={classes.by}>
          <RelativeTime at={test.tested_at} /> · {m.testBy({ name: test.tested_by })}
        </span>
      </p>
      <ul className={classes.list}>
        {test.checks.map((check) => (
          <li key={`${check.name} ${check.scope ?? ''} ${check.module ?? ''}`} className={classes.check}>
            <TestOutcome ok={check.ok} />
            <div className={classes.words}>
              <p className={classes.name}>
                {names[check.name] ?? <Dotted name={check.name} />}
                {check.code && <Ltr mono>{check.code}</Ltr>}
              </p>
              {check.message && (
                <p>
                  <CheckMessage check={check} message={check.message} />
                </p>
              )}
              {check.remedy && (
                <p>
                  <strong>{m.remedy}:</strong>{' '}
                  <ServerText code={check.code} params={check.params} part="next">
                    {check.remedy}
                  </ServerText>
                </p>
              )}
            </div>
            <span className={classes.ms}>{format.duration(check.ms)}</span>
          </li>
        ))}
      </ul>
    </>
  )
}

/** A scope may break behind its dots, and nowhere else while there is room. */
function Dotted({ name }: { name: string }) {
  const parts = name.split('.')
  return (
    <Ltr>
      {parts.map((part, index) => (
        <Fragment key={part}>
          {part}
          {index < parts.length - 1 && (
            <>
              .<wbr />
            </>
          )}
        </Fragment>
      ))}
    </Ltr>
  )
}

/** What the check found: figures as the reader writes them, the rest as the catalogue says it. */
function CheckMessage({ check, message }: { check: Check; message: string }) {
  const m = useMessages(connectionMessages)
  const format = useFormat()
  const { reason, ...facts } = check.params ?? {}
  if (check.ok && reason === 'clock') return m.clockOff({ time: format.duration(Math.abs(Number(facts.seconds)) * 1_000) })
  if (check.ok && reason === 'bytes') return format.bytes(Number(facts.bytes))
  if (check.ok && reason === 'calls_left')
    return m.callsLeft({
      left: format.number(Number(facts.left)),
      limit: format.number(Number(facts.limit)),
      at: format.dateTime(String(facts.until)),
    })
  if (check.ok && check.scope !== undefined) return <ScopeDescription scope={check.scope}>{message}</ScopeDescription>
  return (
    <ServerText code={check.ok ? 'check' : check.code} params={check.params} part="what">
      {message}
    </ServerText>
  )
}
