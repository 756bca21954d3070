import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import CircleCheck from 'lucide-react/icons/circle-check'
import CircleX from 'lucide-react/icons/circle-x'
import ListChecks from 'lucide-react/icons/list-checks'
import { Fragment } from 'react'
import type { Check, TestResult } from '../../../schemas/connection.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { ErrorCard } from '../../components/error-card.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Section } from '../../components/section.tsx'
import { ServerText } from '../../components/server-text.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import classes from './check-list.module.css'
import { connectionMessages } from './messages.ts'
import { ScopeDescription } from './scope-description.tsx'

/**
 * The test of the connection, line by line, each with its time and, where it failed, the remedy.
 */
export function CheckList() {
  const m = useMessages(connectionMessages)
  const format = useFormat()
  const client = useQueryClient()
  const test = useMutation({
    mutationFn: () => request<{ data: TestResult }>(`${ZOHO}/test`, { method: 'POST' }).then(({ data }) => data),
    // The test has told something about the state, the scopes and the organization, whatever came
    // out.
    onSettled: () => client.invalidateQueries({ queryKey: ['zoho'] }),
  })
  const names: Record<string, string> = {
    sign_in: m.checkSignIn,
    organization: m.organization,
    item: m.checkItem,
    picture: m.checkImage,
    quota: m.checkQuota,
    clock: m.checkClock,
  }
  const bad = test.data?.checks.filter(({ ok }) => !ok).length ?? 0
  return (
    <Section
      title={m.testTitle}
      description={m.testHint}
      flush={test.data !== undefined || test.isPending}
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
      {test.isPending && <RowsSkeleton rows={6} height={40} />}
      {test.isIdle && <p className={classes.idle}>{m.testEmpty}</p>}
      {test.data && (
        <>
          <p className={classes.sum} role="status">
            {test.data.ok ? m.testAllGood : m.testProblems({ count: format.number(bad) })}
          </p>
          <ul className={classes.list}>
            {test.data.checks.map((check) => (
              <li key={`${check.name} ${check.scope ?? ''} ${check.module ?? ''}`} className={classes.check} data-ok={check.ok}>
                {check.ok ? (
                  <CircleCheck size={17} aria-label={m.checkGood} className={classes.icon} />
                ) : (
                  <CircleX size={17} aria-label={m.checkBad} className={classes.icon} />
                )}
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
      )}
    </Section>
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
