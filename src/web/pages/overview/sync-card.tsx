import { Link } from 'wouter'
import type { Run } from '../../../schemas/runs.ts'
import type { ZohoSettings } from '../../../schemas/zoho-settings.ts'
import { HOME } from '../../app/paths.ts'
import { STATE_TONE, useStateName } from '../../app/status-line.tsx'
import { Badge } from '../../components/badge.tsx'
import { DescriptionList } from '../../components/description-list.tsx'
import { Section } from '../../components/section.tsx'
import { RelativeTime } from '../../components/time.tsx'
import { useFailures } from '../../failures/queries.ts'
import { useMessages } from '../../i18n/language.tsx'
import { isGoodSync } from '../../runs/progress.ts'
import { RunBadge } from '../../runs/run-badge.tsx'
import { useRunResult } from '../../runs/run-table.tsx'
import { overviewMessages } from './messages.ts'
import classes from './sync-card.module.css'

/**
 * The state in five lines: connected, last good sync and what it brought, the next one, what is
 * open.
 */
export function SyncCard({ settings, runs }: { settings: ZohoSettings; runs: Run[] }) {
  const m = useMessages(overviewMessages)
  const stateName = useStateName()
  const result = useRunResult()
  const failures = useFailures()
  const inventory = settings.modules.find(({ slug }) => slug === 'inventory')
  const last = runs.find(isGoodSync)
  const { state } = settings.connection
  const open = failures.data?.total ?? 0
  return (
    <Section title={m.connection} actions={<Badge tone={STATE_TONE[state]}>{stateName(state)}</Badge>}>
      {settings.organization?.name && (
        <p className={classes.organization}>
          <bdi>{settings.organization.name}</bdi>
        </p>
      )}
      <DescriptionList
        items={[
          [
            m.lastSync,
            last ? (
              <span key="last" className={classes.last}>
                <Link href={`${HOME}/runs/${last.id}`}>
                  <RelativeTime at={last.finished_at ?? last.created_at} />
                </Link>
                <RunBadge state={last.state} />
                <span className={classes.result}>{result(last)}</span>
              </span>
            ) : inventory?.last_sync ? (
              <RelativeTime key="last" at={inventory.last_sync} />
            ) : (
              m.never
            ),
          ],
          [
            m.nextSync,
            inventory?.next_run ? (
              <RelativeTime key="next" at={inventory.next_run} />
            ) : (
              <Link key="next" href={`${HOME}/modules`}>
                {m.notScheduled}
              </Link>
            ),
          ],
          [
            m.failures,
            failures.data &&
              (open === 0 ? (
                m.failuresNone
              ) : (
                <>
                  {m.failuresSome({ count: open })} <Link href={`${HOME}/failures`}>{m.seeFailures}</Link>
                </>
              )),
          ],
        ]}
      />
    </Section>
  )
}
