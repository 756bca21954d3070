import { useQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import type { Run } from '../../../schemas/runs.ts'
import { request } from '../../api/request.ts'
import { useHasRole } from '../../app/session.tsx'
import { Callout } from '../../components/callout.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { paramOf } from '../../runs/progress.ts'
import { runsMessages } from './messages.ts'

interface Session {
  session: string
  run_id: string
}

/** The way to what a run made: the session of a pull, the images of an import. */
export function RunOutcome({ run }: { run: Run }) {
  const m = useMessages(runsMessages)
  const isPull = run.kind.startsWith('pull')
  const named = paramOf(run, 'session')
  const mayRead = useHasRole('operator')
  const { data: sessions } = useQuery({
    queryKey: ['pulls', 'of-run', run.id, run.state],
    enabled: isPull && mayRead && typeof named !== 'string',
    queryFn: ({ signal }) => request<{ data: Session[] }>('/api/pulls/', { signal }).then(({ data }) => data),
  })
  const session = typeof named === 'string' ? named : sessions?.find(({ run_id }) => run_id === run.id)?.session
  if (isPull && session)
    return (
      <Callout tone="info" title={m.madeSession}>
        <Link href={`/pulls/${session}`}>
          <Ltr mono>{session}</Ltr>
        </Link>
      </Callout>
    )
  if (run.kind === 'images_import' && (run.statistics.matched ?? 0) > 0)
    return (
      <Callout tone="info" title={m.madeImages}>
        <Link href="/media?source=import">{m.seeImages}</Link>
      </Callout>
    )
  return null
}
