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

/** The test of the connection, line by line, each with its time and, where it failed, the remedy. */
export function CheckList() {
  const m = useMessages(connectionMessages)
  const format = useFormat()
  const client = useQueryClient()
  const test = useMutation({
    mutationFn: () => request<{ data: TestResult }>(`${ZOHO}/test`, { method: 'POST' }).then(({ data }) => data),
    // The test has told something about the state, the scopes and the organisation, whatever came out.
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
                      <ServerText code={check.code} part="next">
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

/** What the check found: figures are told in the reader's own words, the rest as the server says it. */
function CheckMessage({ check, message }: { check: Check; message: string }) {
  const m = useMessages(connectionMessages)
  const format = useFormat()
  if (check.ok) {
    const sentences: Record<string, string> = {
      'None of the items that were looked at has a picture': m.noImageSeen,
      'The organisation has no items yet': m.noItemsYet,
      'Zoho has not told the quota of this day yet': m.quotaNotTold,
      'Zoho told no time': m.noTimeTold,
    }
    if (sentences[message] !== undefined) return sentences[message]
    if (check.scope !== undefined) return <ScopeDescription scope={check.scope}>{message}</ScopeDescription>
    const [, seconds] = /by (-?\d+) s$/.exec(message) ?? []
    if (check.name === 'clock' && seconds !== undefined) return m.clockOff({ time: format.duration(Math.abs(Number(seconds)) * 1_000) })
    const [, left, limit, until] = /^(\d+) of (\d+) calls are left until (\S+)$/.exec(message) ?? []
    if (left !== undefined && limit !== undefined && until !== undefined)
      return m.callsLeft({ left: format.number(Number(left)), limit: format.number(Number(limit)), at: format.dateTime(until) })
    const [, bytes] = /^(\d+) bytes$/.exec(message) ?? []
    if (bytes !== undefined) return format.bytes(Number(bytes))
  }
  return (
    <ServerText code={check.code} part="what">
      {message}
    </ServerText>
  )
}
