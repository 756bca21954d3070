import type { Run } from '../../schemas/runs.ts'
import { Badge } from '../components/badge.tsx'
import { RUN_TONE, useRunLabels } from './run-labels.ts'

export function RunBadge({ state }: { state: Run['state'] }) {
  const words = useRunLabels()
  return (
    <Badge tone={RUN_TONE[state]} pulsing={state === 'running'}>
      {words.state(state)}
    </Badge>
  )
}
