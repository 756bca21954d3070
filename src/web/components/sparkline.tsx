import classes from './sparkline.module.css'

const WIDTH = 120
const HEIGHT = 28
const PAD = 2

/**
 * A trend as a line, without axes: the figure beside it says the value. Time runs left to right in
 * both languages, as in every chart.
 */
export function Sparkline({ values: known, label }: { values: number[]; label: string }) {
  // The first day has no trend yet: a level line says so, and a hole would look like a mistake.
  const values = known.length === 1 ? [...known, ...known] : known
  if (values.length === 0) return <div className={classes.none} />
  const low = Math.min(...values)
  const span = Math.max(...values) - low
  const points = values.map((value, index) => {
    const x = PAD + (index / (values.length - 1)) * (WIDTH - 2 * PAD)
    // A line that never moves runs through the middle.
    const y = span === 0 ? HEIGHT / 2 : HEIGHT - PAD - ((value - low) / span) * (HEIGHT - 2 * PAD)
    return `${x.toFixed(1)},${y.toFixed(1)}`
  })
  return (
    <svg className={classes.line} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <polyline points={points.join(' ')} />
    </svg>
  )
}

/** Bars over time, one a step; each says its own figure to the pointer. */
export function Bars({ values, label }: { values: { name: string; value: number }[]; label: string }) {
  const most = Math.max(1, ...values.map(({ value }) => value))
  return (
    <div className={classes.bars} role="img" aria-label={label} dir="ltr">
      {values.map(({ name, value }) => (
        <span key={name} className={classes.slot} title={`${name}: ${value}`}>
          <span style={{ blockSize: `${Math.max(value === 0 ? 0 : 4, (value / most) * 100)}%` }} />
        </span>
      ))}
    </div>
  )
}
