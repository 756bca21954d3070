import { queryOptions, useQuery } from '@tanstack/react-query'
import type { z } from 'zod'
import type { ScopesResponse } from '../../../schemas/connection.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { Badge } from '../../components/badge.tsx'
import { Callout } from '../../components/callout.tsx'
import { CodeLine } from '../../components/code-line.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { Table } from '../../components/table.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { connectionMessages } from './messages.ts'
import { ScopeDescription } from './scope-description.tsx'
import classes from './scopes.module.css'

export const scopesQuery = queryOptions({
  queryKey: ['zoho', 'scopes'],
  queryFn: ({ signal }) => request<z.infer<typeof ScopesResponse>>(`${ZOHO}/scopes`, { signal }).then(({ data }) => data),
})

/** The exact scopes by module, whether they are granted, and the one line to copy. */
export function Scopes() {
  const m = useMessages(connectionMessages)
  const format = useFormat()
  const query = useQuery(scopesQuery)
  return (
    <Section title={m.scopes} description={m.scopesHint} flush>
      <QueryBoundary query={query} skeleton={<RowsSkeleton rows={6} height={40} />}>
        {({ modules, line, missing }) => (
          <>
            <div className={classes.lines}>
              {missing.length > 0 && <Callout tone="warn" title={m.missing({ count: format.number(missing.length) })} />}
              <div>
                <p className={classes.name}>{m.scopesLine}</p>
                <CodeLine value={line} what={m.scopes} />
              </div>
            </div>
            <Table
              label={m.scopes}
              rows={modules.flatMap((module) => module.scopes.map((scope) => ({ ...scope, module })))}
              rowKey={({ scope, module }) => `${module.slug} ${scope}`}
              columns={[
                { key: 'scope', header: m.scope, cell: ({ scope }) => <Ltr mono>{scope}</Ltr> },
                {
                  key: 'module',
                  header: m.reads,
                  cell: ({ module, reads, scope }) => (
                    <>
                      <Ltr>{module.name}</Ltr>: <ScopeDescription scope={scope}>{reads}</ScopeDescription>
                    </>
                  ),
                },
                {
                  key: 'granted',
                  header: m.granted,
                  cell: ({ granted, module }) =>
                    !module.enabled ? (
                      <Badge>{m.moduleOff}</Badge>
                    ) : granted === null ? (
                      <Badge>{m.unknown}</Badge>
                    ) : granted ? (
                      <Badge tone="good">{m.yes}</Badge>
                    ) : (
                      <Badge tone="bad">{m.no}</Badge>
                    ),
                },
              ]}
            />
          </>
        )}
      </QueryBoundary>
    </Section>
  )
}
