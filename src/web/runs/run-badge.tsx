import type { Run } from '../../contract/runs.ts'
import { Badge } from '../ui/badge.tsx'
import { RUN_TONE, useRunWords } from './run-words.ts'

export function RunBadge({ state }: { state: Run['state'] }) {
  const words = useRunWords()
  return (
    <Badge tone={RUN_TONE[state]} pulsing={state === 'running'}>
      {words.state(state)}
    </Badge>
  )
}
