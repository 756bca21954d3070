import TriangleAlert from 'lucide-react/icons/triangle-alert'
import { Link } from 'wouter'
import type { ItemSyncPlan } from '../../schemas/sync-plan.ts'
import { HOME } from '../app/paths.ts'
import { useMessages } from '../i18n/language.tsx'
import { useFormat } from '../i18n/shop-zone.tsx'
import { PlanBox } from './plan-box.tsx'
import classes from './plan-summary.module.css'
import { startMessages } from './start-messages.ts'

/** The counts, calls and time of a plan, and a warning where it would remove unusually much. */
export function PlanSummary({ plan }: { plan: ItemSyncPlan['data'] }) {
  const m = useMessages(startMessages)
  const format = useFormat()
  const { items, images, calls, mass_delete } = plan
  const changes = items.new + items.updated + items.removed + items.restored + images.to_fetch
  const figures: [string, number][] = [
    [m.planNew, items.new],
    [m.planUpdated, items.updated],
    [m.planUnchanged, items.unchanged],
    [m.planRemoved, items.removed],
    [m.planRestored, items.restored],
    [m.planConflicts, items.conflicts],
    [m.planImages, images.to_fetch],
    [m.planCalls, calls.total],
  ]
  return (
    <PlanBox label={m.planTitle}>
      <dl className={classes.figures}>
        {figures
          .filter(([, value], index) => value > 0 || index < 3 || index === 7)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{format.number(value)}</dd>
            </div>
          ))}
      </dl>
      <p>
        {changes === 0 && `${m.nothing} `}
        {m.takes({ time: format.duration(Math.max(1_000, plan.minutes * 60_000)) })}{' '}
        {plan.days !== null && plan.days > 1 ? m.days({ days: format.number(plan.days) }) : m.endsAt({ at: format.dateTime(plan.ends_at) })}{' '}
        {changes > 0 && <Link href={`${HOME}/runs/${plan.run_id}`}>{m.seeRecords}</Link>}
      </p>
      {mass_delete && (
        <p className={classes.warning} role="alert">
          <TriangleAlert size={16} aria-hidden />
          {m.massDelete({ removed: format.number(mass_delete.removed), of: format.number(mass_delete.of) })}
        </p>
      )}
    </PlanBox>
  )
}
