import classes from './progress-bar.module.css'

/** How much of something is done or used; `share` of null: under way, nobody knows how much. */
export function ProgressBar({
  label,
  share,
  tone = 'accent',
}: {
  label: string
  share: number | null
  tone?: 'accent' | 'warn' | 'bad' | 'good'
}) {
  const percent = share === null ? undefined : Math.round(Math.min(1, Math.max(0, share)) * 100)
  return (
    <div
      className={classes.track}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      data-tone={tone}
      data-unknown={percent === undefined || undefined}
    >
      <div className={classes.fill} style={percent === undefined ? {} : { inlineSize: `${percent}%` }} />
    </div>
  )
}
