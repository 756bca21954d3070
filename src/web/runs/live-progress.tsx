import type { ReactNode } from 'react'
import type { Run } from '../../schemas/runs.ts'
import type { Liveness } from '../api/use-run.ts'
import { ProgressBar } from '../components/progress-bar.tsx'
import { ServerText } from '../components/server-text.tsx'
import { useNow } from '../components/time.tsx'
import { useMessages } from '../i18n/language.tsx'
import { defineMessages } from '../i18n/messages.ts'
import { useFormat } from '../i18n/shop-zone.tsx'
import classes from './live-progress.module.css'
import { type RunProgress, readProgress } from './progress.ts'
import { useRunLabels } from './run-labels.ts'

const messages = defineMessages(
  {
    of: ({ done, total }: { done: string; total: string }) => `${done} of ${total}`,
    rate: ({ rate }: { rate: string }) => `${rate} per second`,
    left: ({ time }: { time: string }) => `about ${time} left`,
    waiting: ({ time }: { time: string }) => `Waiting ${time}`,
    reconnecting: 'The server is unreachable. Progress continues once it is back.',
    queued: 'Waiting for a free worker',
    working: 'Working',
    pausedUntil: ({ at }: { at: string }) => `Resumes automatically at ${at}`,
    paused: 'Paused. Resume to continue where it stopped.',
    progress: 'Progress',
  },
  {
    of: ({ done, total }) => `${done} من ${total}`,
    rate: ({ rate }) => `${rate} في الثانية`,
    left: ({ time }) => `بقي نحو ${time}`,
    waiting: ({ time }) => `ينتظر ${time}`,
    reconnecting: 'تعذّر الوصول إلى الخادم. يُستأنف التقدم عند عودته.',
    queued: 'ينتظر عاملًا متاحًا',
    working: 'يعمل',
    pausedUntil: ({ at }) => `يُستأنف تلقائيًا ${at}`,
    paused: 'متوقف مؤقتًا. استأنفه ليتابع من حيث توقف.',
    progress: 'التقدم',
  },
)

/**
 * Bar, figures, rate, time left, and the reason whenever it waits. Keeps its height whatever there
 * is to say.
 */
export function LiveProgress({ run, liveness }: { run: Run; liveness: Liveness }) {
  const m = useMessages(messages)
  const words = useRunLabels()
  const format = useFormat()
  const now = useNow(1_000)
  const { phase, done, total, rate, etaMs, waiting } = readProgress(run)
  const waitMs = waiting === null ? 0 : new Date(waiting.until).getTime() - now
  const heading = run.state === 'queued' ? m.queued : phase === null ? m.working : words.phase(phase)
  const note =
    run.state === 'paused'
      ? run.resumes_at === null
        ? m.paused
        : m.pausedUntil({ at: format.dateTime(run.resumes_at) })
      : liveness === 'reconnecting'
        ? m.reconnecting
        : waiting !== null && waitMs > 0
          ? waitingNote(m.waiting({ time: format.duration(waitMs) }), waiting)
          : [
              rate !== null && rate > 0 ? m.rate({ rate: format.number(rate) }) : null,
              etaMs !== null ? m.left({ time: format.duration(etaMs) }) : null,
            ]
              .filter((part) => part !== null)
              .join(' · ')
  return (
    <div className={classes.live}>
      <div className={classes.row}>
        <span className={classes.phase}>{heading}</span>
        <span className="figures">
          {done !== null && (total !== null ? m.of({ done: format.number(done), total: format.number(total) }) : format.number(done))}
        </span>
      </div>
      <ProgressBar
        label={m.progress}
        share={done !== null && total !== null && total > 0 ? done / total : run.state === 'paused' || run.state === 'queued' ? 0 : null}
        tone={run.state === 'paused' || liveness === 'reconnecting' ? 'warn' : 'accent'}
      />
      <p className={classes.note}>{note}</p>
    </div>
  )
}

const waitingNote = (how: string, { code, reason, params }: NonNullable<RunProgress['waiting']>): ReactNode => (
  <>
    {how}:{' '}
    <ServerText code={code} params={params} part="what">
      {reason}
    </ServerText>
  </>
)
