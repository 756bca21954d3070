import { useFormat } from '../i18n/shop-zone.tsx'
import classes from './bar-chart.module.css'

export type SeriesTone = 'good' | 'warn' | 'bad' | 'accent' | 'plain'

interface BarChartProps {
  /** What the chart shows, for screen readers and as its heading. */
  label: string
  series: { key: string; name: string; tone: SeriesTone }[]
  /** One bar each, oldest first; `values` by key of the series. */
  bars: { name: string; values: Record<string, number> }[]
  /** A line that the bars must stay below; null: there is none. */
  limit?: { value: number; name: string } | null
  height?: number
}

/**
 * Stacked bars over time with a scale, and a line for a limit. Time runs left to right in both
 * languages, as in every chart.
 */
export function BarChart({ label, series, bars, limit = null, height = 120 }: BarChartProps) {
  const format = useFormat()
  const sumOf = (values: Record<string, number>) => series.reduce((sum, { key }) => sum + (values[key] ?? 0), 0)
  const largest = Math.max(0, ...bars.map(({ values }) => sumOf(values)))
  // A limit far above would press the bars flat: then the scale is theirs, and the limit is named.
  const inSight = limit !== null && limit.value <= largest * 4 ? limit : null
  const top = roundUp(Math.max(largest, inSight?.value ?? 0, 1))
  const share = (value: number) => `${(value / top) * 100}%`
  const total = bars.reduce((sum, { values }) => sum + sumOf(values), 0)
  return (
    <figure className={classes.chart}>
      <figcaption className={classes.head}>
        <span className={classes.title}>{label}</span>
        <span className={classes.keys}>
          {(series.length > 1 ? series : []).map(({ key, name, tone }) => (
            <span key={key} className={classes.key} data-tone={tone}>
              {name}
            </span>
          ))}
          {limit !== null && (
            <span className={classes.limitKey}>
              {limit.name} {format.number(limit.value)}
            </span>
          )}
        </span>
      </figcaption>
      <div className={classes.plot} style={{ height }} dir="ltr" role="img" aria-label={`${label}: ${format.number(total)}`}>
        <span className={classes.top}>{format.number(top)}</span>
        {inSight && <span className={classes.limit} style={{ bottom: share(inSight.value) }} />}
        {bars.map(({ name, values }) => {
          const parts = series.filter(({ key }) => (values[key] ?? 0) > 0)
          const told = parts.map(({ key, name: of }) => `${series.length > 1 ? `${of} ` : ''}${format.number(values[key] ?? 0)}`)
          return (
            <span key={name} className={classes.slot} title={`${name}: ${told.join(' · ') || format.number(0)}`}>
              {parts.map(({ key, tone }) => (
                <span key={key} data-tone={tone} style={{ height: share(values[key] ?? 0) }} />
              ))}
            </span>
          )
        })}
      </div>
      <div className={classes.ends} dir="ltr" aria-hidden>
        <bdi>{bars[0]?.name}</bdi>
        <bdi>{bars.at(-1)?.name}</bdi>
      </div>
    </figure>
  )
}

/** The next number of the form 1, 2 or 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power
}
