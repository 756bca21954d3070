import type { Run } from '../../schemas/runs.ts'
import { Badge } from '../components/badge.tsx'
import { RUN_TONE, useRunWords } from './run-labels.ts'

export function RunBadge({ state }: { state: Run['state'] }) {
  const words = useRunWords()
  return (
    <Badge tone={RUN_TONE[state]} pulsing={state === 'running'}>
      {words.state(state)}
    </Badge>
  )
}
