import type { PullPlan } from '../../../schemas/pulls.ts'
import { Ltr } from '../../components/ltr.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { pullsMessages } from '../../pulls/messages.ts'
import { useModuleName } from '../../pulls/pull-labels.tsx'
import { PlanBox } from '../../runs/plan-box.tsx'
import { startMessages } from '../../runs/start-messages.ts'
import classes from './pull-estimate.module.css'

/**
 * What a pull would take: calls module by module, the time, and whether the day's quota is enough
 * for it.
 */
export function PullEstimate({ plan }: { plan: PullPlan }) {
  const m = useMessages(pullsMessages)
  const words = useMessages(startMessages)
  const format = useFormat()
  const moduleName = useModuleName()
  return (
    <PlanBox label={m.planTitle}>
      <p>
        <strong>
          {m.calls}: {format.number(plan.calls.total)}.
        </strong>{' '}
        {!plan.complete && `${m.planAtLeast} `}
        {words.takes({ time: format.duration(Math.max(1_000, plan.minutes * 60_000)) })}{' '}
        {plan.days !== null && plan.days > 1
          ? words.days({ days: format.number(plan.days) })
          : words.endsAt({ at: format.dateTime(plan.ends_at) })}
      </p>
      <table className={classes.figures}>
        <thead>
          <tr>
            <th scope="col">{m.module}</th>
            <th scope="col">{m.records}</th>
            <th scope="col">{m.calls}</th>
          </tr>
        </thead>
        <tbody>
          {plan.modules.map(({ module, records, basis, calls }) => (
            <tr key={module}>
              <th scope="row">{moduleName(module)}</th>
              <td>{records === null ? m.planUnknown : <Ltr>{`${basis === 'estimated' ? '≈ ' : ''}${format.number(records)}`}</Ltr>}</td>
              <td>{format.number(calls.total)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">{m.planSum}</th>
            <td />
            <td>{format.number(plan.calls.total)}</td>
          </tr>
        </tfoot>
      </table>
    </PlanBox>
  )
}
