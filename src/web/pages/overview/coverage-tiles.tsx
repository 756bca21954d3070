import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import CircleCheck from 'lucide-react/icons/circle-check'
import Package from 'lucide-react/icons/package'
import { Link } from 'wouter'
import type { z } from 'zod'
import type { CoverageHistoryResponse, CoverageKey, CoverageResponse } from '../../../schemas/coverage.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { commonMessages } from '../../components/messages.ts'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { Sparkline } from '../../components/sparkline.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { COVERAGE_KEYS, useCoverageLabels } from '../../products/coverage-labels.ts'
import { StartSync } from '../../runs/start-sync.tsx'
import classes from './coverage-tiles.module.css'
import { overviewMessages } from './messages.ts'

const DAYS = 30
/** Keeps the place of the line that comes with the figures. */
const KEPT_LINE = '\u00a0'

/** What products lack, each with its trend; a tile opens the list of them. */
export function CoverageTiles() {
  const m = useMessages(overviewMessages)
  const coverage = useQuery({
    queryKey: ['coverage'],
    queryFn: ({ signal }) => request<z.infer<typeof CoverageResponse>>(`${ZOHO}/coverage`, { signal }),
  })
  const history = useQuery({
    queryKey: ['coverage', 'history'],
    staleTime: 300_000,
    queryFn: ({ signal }) =>
      request<z.infer<typeof CoverageHistoryResponse>>(`${ZOHO}/coverage/history`, { query: { days: DAYS }, signal }).then(
        ({ data }) => data,
      ),
  })
  return (
    <Section
      title={m.coverage}
      description={coverage.data && coverage.data.total > 0 ? m.coverageHint({ count: coverage.data.total }) : KEPT_LINE}
    >
      <QueryBoundary query={coverage} skeleton={<TilesSkeleton />}>
        {({ data, total }) =>
          total === 0 ? (
            <EmptyState icon={Package} title={m.noProducts} text={m.noProductsText} action={<StartSync primary={false} />} />
          ) : (
            <Tiles data={data} total={total} days={history.data} />
          )
        }
      </QueryBoundary>
    </Section>
  )
}

interface TilesProps {
  data: Record<CoverageKey, number>
  total: number
  days: Record<CoverageKey, number>[] | undefined
}

/** The most frequent first; what nothing lacks is one line at the end. */
function Tiles({ data, total, days }: TilesProps) {
  const m = useMessages(overviewMessages)
  const labels = useCoverageLabels()
  const format = useFormat()
  const lacking = COVERAGE_KEYS.filter((key) => data[key] > 0).sort((a, b) => data[b] - data[a])
  const fine = COVERAGE_KEYS.filter((key) => data[key] === 0)
  return (
    <>
      <ul className={classes.tiles}>
        {lacking.map((key) => {
          const trend = days?.map((day) => day[key]) ?? []
          return (
            <li key={key}>
              <Link href={`/products?coverage=${key}`} className={classes.tile}>
                <span className={classes.label}>{labels[key]}</span>
                <span className={classes.value}>{format.number(data[key])}</span>
                <span className={classes.share}>{m.ofAll({ share: format.percent(data[key] / total) })}</span>
                <span className={classes.meter} aria-hidden>
                  <span style={{ inlineSize: `${Math.max(1, (data[key] / total) * 100)}%` }} />
                </span>
                {/* A line that never moved says nothing. */}
                {new Set(trend).size > 1 && <Sparkline values={trend} label={`${labels[key]}, ${m.trend({ days: trend.length })}`} />}
              </Link>
            </li>
          )
        })}
      </ul>
      {fine.length > 0 && (
        <p className={classes.fine}>
          <CircleCheck size={15} aria-hidden /> {m.noneOf} {fine.map((key) => labels[key]).join(m.comma)}
        </p>
      )}
    </>
  )
}

/** The same grid with the same tiles, so that nothing moves when the figures come. */
function TilesSkeleton() {
  const m = useMessages(commonMessages)
  return (
    <div className={classes.tiles} role="status" aria-label={m.loading}>
      {COVERAGE_KEYS.map((key) => (
        <div key={key} className={classes.tile}>
          <span className={classes.label}>
            <Skeleton height={12} width="70%" />
          </span>
          <span className={classes.value}>
            <Skeleton height={20} width={48} />
          </span>
          <div className={classes.place} />
        </div>
      ))}
    </div>
  )
}
