import { Button, Checkbox } from '@mantine/core'
import ChevronDown from 'lucide-react/icons/chevron-down'
import RotateCcw from 'lucide-react/icons/rotate-ccw'
import { useId, useState } from 'react'
import { Link } from 'wouter'
import type { FailuresResponse } from '../../schemas/failures.ts'
import { ZOHO } from '../api/endpoints.ts'
import { useCursorList } from '../api/use-cursor-list.ts'
import { HOME } from '../app/paths.ts'
import { useHasRole } from '../app/session.tsx'
import { Badge } from '../components/badge.tsx'
import { Ltr } from '../components/ltr.tsx'
import { ServerText } from '../components/server-text.tsx'
import { RelativeTime } from '../components/time.tsx'
import { useMessages } from '../i18n/language.tsx'
import { useFormat } from '../i18n/shop-zone.tsx'
import { useModuleName } from '../pulls/pull-labels.tsx'
import classes from './failure-group.module.css'
import { failureMessages } from './messages.ts'

export type Group = FailuresResponse['data'][number]
export type Entry = Group['failures'][number]

interface GroupProps {
  group: Group
  runId?: string | undefined
  pending: boolean
  onRetry(choice: { ids?: string[]; code?: string }): void
  onDismiss(ids: string[]): void
}

/** One cause: what it is, what to do, how many, and each of them when opened. */
export function FailureGroup({ group, runId, pending, onRetry, onDismiss }: GroupProps) {
  const m = useMessages(failureMessages)
  const format = useFormat()
  const id = useId()
  const mayAct = useHasRole('operator')
  const moduleName = useModuleName()
  const [opened, setOpened] = useState(false)
  const stages: Record<string, string> = {
    list: m.stageList,
    item: m.stageItem,
    image: m.stageImage,
    removal: m.stageRemoval,
    file: m.stageFile,
    conflict: m.stageConflict,
    import: m.stageImport,
    repair: m.stageRepair,
    variant: m.stageVariant,
  }
  return (
    <article className={classes.group} aria-labelledby={id}>
      <header className={classes.head}>
        <div className={classes.words}>
          <h3 id={id} className={classes.cause}>
            <ServerText code={group.code} params={group.params} stage={group.stage} part="what">
              {group.cause}
            </ServerText>
          </h3>
          <p className={classes.remedy}>
            <strong>{m.next}:</strong>{' '}
            <ServerText code={group.code} params={group.params} stage={group.stage} part="next">
              {group.remedy}
            </ServerText>
          </p>
          <p className={classes.facts}>
            <Badge tone="bad">{m.open({ count: group.count })}</Badge>
            <Ltr mono>{/^\d+$/.test(group.code) ? `Zoho ${group.code}` : group.code}</Ltr>
            <span>{stages[group.stage] ?? m.stagePull({ module: moduleName(group.stage.replace(/^crm:/, 'CRM ')) })}</span>
            <span>
              {m.last} <RelativeTime at={group.last_at} />
            </span>
            <span title={format.dateTime(group.first_at)}>
              {m.first} {format.date(group.first_at)}
            </span>
          </p>
        </div>
        {mayAct && group.retryable && (
          <Button
            size="xs"
            variant="default"
            leftSection={<RotateCcw size={14} aria-hidden />}
            loading={pending}
            onClick={() => onRetry({ code: group.code })}
          >
            {m.retryGroup}
          </Button>
        )}
      </header>
      <Button
        variant="subtle"
        color="gray"
        size="compact-sm"
        className={classes.opener}
        aria-expanded={opened}
        leftSection={<ChevronDown size={14} aria-hidden className={opened ? classes.up : undefined} />}
        onClick={() => setOpened(!opened)}
      >
        {opened ? m.hide : m.show({ count: Math.min(group.count, group.failures.length), all: group.count <= group.failures.length })}
      </Button>
      {opened && <Entries group={group} runId={runId} mayAct={mayAct} pending={pending} onRetry={onRetry} onDismiss={onDismiss} />}
    </article>
  )
}

function Entries({ group, runId, mayAct, pending, onRetry, onDismiss }: GroupProps & { mayAct: boolean }) {
  const m = useMessages(failureMessages)
  const [selection, setChosen] = useState<ReadonlySet<string>>(new Set())
  // The answer lists groups; the pages of one code are pages of its only group.
  const list = useCursorList<Group>(['failures', 'of', group.code], `${ZOHO}/failures`, {
    query: { code: group.code, stage: group.stage, run_id: runId, limit: 50 },
  })
  const entries: Entry[] = list.rows?.flatMap(({ failures }) => failures) ?? group.failures
  const toggle = (entry: string) => {
    const next = new Set(selection)
    if (!next.delete(entry)) next.add(entry)
    setChosen(next)
  }
  const ids = [...selection].filter((id) => entries.some((entry) => entry.id === id))
  return (
    <>
      <ul className={classes.entries}>
        {entries.map((entry) => (
          <li key={entry.id} className={classes.entry}>
            {mayAct && (
              <Checkbox
                checked={selection.has(entry.id)}
                onChange={() => toggle(entry.id)}
                aria-label={`${m.choose} ${entry.sku ?? entry.zoho_item_id ?? entry.message}`}
              />
            )}
            <div className={classes.what}>
              <p className={classes.record}>
                {entry.product_id ? (
                  <Link href={`/products/${entry.product_id}`}>
                    <bdi>{entry.name ?? entry.sku ?? entry.zoho_item_id}</bdi>
                  </Link>
                ) : (
                  (entry.name ?? entry.sku ?? entry.zoho_item_id) && <bdi>{entry.name ?? entry.sku ?? entry.zoho_item_id}</bdi>
                )}
                {entry.sku && (
                  <span className={classes.sku}>
                    <Ltr mono>{entry.sku}</Ltr>
                  </span>
                )}
              </p>
              <p className={classes.message}>
                <ServerText code={group.code} params={entry.params} part="what">
                  {entry.message}
                </ServerText>
              </p>
              {entry.note && (
                <p className={classes.message} dir="auto">
                  {entry.note}
                </p>
              )}
            </div>
            <Link href={`${HOME}/runs/${entry.run_id}`} className={classes.when}>
              <RelativeTime at={entry.at} />
            </Link>
          </li>
        ))}
      </ul>
      <div className={classes.foot}>
        {list.hasNextPage && (
          <Button size="xs" variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            {m.showAll}
          </Button>
        )}
        {mayAct && ids.length > 0 && (
          <>
            <span>{m.selection({ count: ids.length })}</span>
            {group.retryable && (
              <Button size="xs" variant="default" loading={pending} onClick={() => onRetry({ ids })}>
                {m.retryOne}
              </Button>
            )}
            <Button size="xs" variant="default" onClick={() => onDismiss(ids)}>
              {m.dismissOne}
            </Button>
          </>
        )}
      </div>
    </>
  )
}
