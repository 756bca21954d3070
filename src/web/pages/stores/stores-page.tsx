import { Button, NativeSelect, TextInput } from '@mantine/core'
import Plus from 'lucide-react/icons/plus'
import StoreIcon from 'lucide-react/icons/store'
import { useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import type { StoreStatus } from '../../../schemas/photo-sync.ts'
import { useHasRole } from '../../app/session.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Page } from '../../components/page.tsx'
import { ProgressBar } from '../../components/progress-bar.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { Statistic, Statistics } from '../../components/statistic.tsx'
import { Table } from '../../components/table.tsx'
import { RelativeTime, useNow } from '../../components/time.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { storesMessages } from '../../stores/messages.ts'
import { StoreBadge, useStoreStateName } from '../../stores/store-badge.tsx'
import { bySeverity, STORE_STATES, storeState } from '../../stores/store-state.ts'
import { useStoreStatusList } from '../../stores/use-stores.ts'
import { CreateStore } from './create-store.tsx'
import classes from './stores-page.module.css'

export default function StoresPage() {
  const m = useMessages(storesMessages)
  const mayCreate = useHasRole('admin')
  const [creating, setCreating] = useState(false)
  const fleet = useStoreStatusList()
  const newStore = (
    <Button leftSection={<Plus size={15} aria-hidden />} onClick={() => setCreating(true)}>
      {m.create}
    </Button>
  )
  return (
    <Page title={m.title} intro={m.intro} actions={mayCreate && newStore}>
      <QueryBoundary
        query={fleet}
        skeleton={
          <Section title={m.title} flush>
            <RowsSkeleton rows={5} height={56} />
          </Section>
        }
      >
        {(stores) =>
          stores.length === 0 ? (
            <Section title={m.title}>
              <EmptyState
                icon={StoreIcon}
                title={m.emptyTitle}
                text={mayCreate ? m.emptyText : `${m.emptyText} ${m.emptyViewer}`}
                action={mayCreate && newStore}
              />
            </Section>
          ) : (
            <Fleet stores={stores} />
          )
        }
      </QueryBoundary>
      <CreateStore opened={creating} onClose={() => setCreating(false)} />
    </Page>
  )
}

function Fleet({ stores }: { stores: StoreStatus[] }) {
  const m = useMessages(storesMessages)
  const format = useFormat()
  const now = useNow(30_000)
  const count = (...states: string[]) => stores.filter((store) => states.includes(storeState(store, now))).length
  const failing = count('failing')
  const silent = count('silent', 'never')
  const stateName = useStoreStateName()
  // In the address, so that a link shows the same list.
  const [search, setSearch] = useSearchParams()
  const filter = (name: string, value: string) =>
    setSearch(
      (before) => {
        if (value === '') before.delete(name)
        else before.set(name, value)
        return before
      },
      { replace: true },
    )
  const [text, state, tag] = ['q', 'state', 'tag'].map((name) => search.get(name) ?? '') as [string, string, string]
  const tags = [...new Set(stores.flatMap((store) => store.tags))].sort((one, other) => one.localeCompare(other))
  const shown = stores.filter(
    (store) =>
      `${store.name} ${store.code}`.toLowerCase().includes(text.trim().toLowerCase()) &&
      (state === '' || storeState(store, now) === state) &&
      (tag === '' || store.tags.includes(tag)),
  )
  return (
    <>
      <Statistics>
        <Statistic label={m.countStores} value={format.number(stores.length)} />
        <Statistic label={m.countComplete} value={format.number(count('complete'))} />
        <Statistic label={m.countFailing} value={format.number(failing)} {...(failing > 0 && { tone: 'bad' as const })} />
        <Statistic label={m.countSilent} value={format.number(silent)} {...(silent > 0 && { tone: 'warn' as const })} />
      </Statistics>
      <Section
        title={m.title}
        flush
        actions={
          <>
            <TextInput
              size="xs"
              type="search"
              aria-label={m.searchStores}
              placeholder={m.searchStores}
              value={text}
              onChange={(event) => filter('q', event.currentTarget.value)}
            />
            <NativeSelect
              size="xs"
              aria-label={m.state}
              value={state}
              onChange={(event) => filter('state', event.currentTarget.value)}
              data={[{ value: '', label: m.allStatuses }, ...STORE_STATES.map((value) => ({ value, label: stateName(value) }))]}
            />
            {tags.length > 0 && (
              <NativeSelect
                size="xs"
                aria-label={m.tags}
                value={tag}
                onChange={(event) => filter('tag', event.currentTarget.value)}
                data={[{ value: '', label: m.allTags }, ...tags]}
              />
            )}
          </>
        }
      >
        {shown.length === 0 && <EmptyState icon={StoreIcon} title={m.emptyTitle} filtered />}
        <Table
          label={m.title}
          rows={shown.sort(bySeverity(now))}
          rowKey={({ id }) => id}
          columns={[
            {
              key: 'store',
              header: m.store,
              cell: (store) => (
                <Link href={`/stores/${store.id}`} className={classes.store}>
                  <bdi>{store.name}</bdi>
                  <span className={classes.code}>
                    <Ltr mono>{store.code}</Ltr>
                    {store.tags.map((tag) => (
                      <bdi key={tag} className={classes.tag}>
                        {tag}
                      </bdi>
                    ))}
                  </span>
                </Link>
              ),
            },
            { key: 'state', header: m.state, cell: (store) => <StoreBadge state={storeState(store, now)} /> },
            {
              key: 'progress',
              header: m.progress,
              cell: (store) => (
                <span className={classes.progress}>
                  <span className="figures">
                    {m.ofPhotos({ synced: format.number(store.photos_synced), total: format.number(store.photos_total) })}
                  </span>
                  <ProgressBar
                    label={m.progressOf({ name: store.name })}
                    share={store.photos_total === 0 ? 1 : store.photos_synced / store.photos_total}
                    tone={store.photos_behind === 0 ? 'good' : 'accent'}
                  />
                </span>
              ),
            },
            {
              key: 'failed',
              header: m.failed,
              end: true,
              cell: (store) => (
                <span className={classes.failed} data-some={store.photos_failed > 0 || undefined}>
                  {format.number(store.photos_failed)}
                </span>
              ),
            },
            { key: 'bytes', header: m.bytes, end: true, secondary: true, cell: (store) => format.bytes(store.bytes_synced) },
            {
              key: 'seen',
              header: m.lastSeen,
              end: true,
              cell: (store) => (store.last_seen_at === null ? m.never : <RelativeTime at={store.last_seen_at} />),
            },
          ]}
        />
      </Section>
    </>
  )
}
