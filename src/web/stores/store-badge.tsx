import { Badge } from '../components/badge.tsx'
import { useMessages } from '../i18n/language.tsx'
import { storesMessages } from './messages.ts'
import { STORE_TONE, type StoreState } from './store-state.ts'

export function useStoreStateName(): (state: StoreState) => string {
  const m = useMessages(storesMessages)
  const names: Record<StoreState, string> = {
    never: m.stateNever,
    paused: m.statePaused,
    silent: m.stateSilent,
    failing: m.stateFailing,
    behind: m.stateBehind,
    complete: m.stateComplete,
  }
  return (state) => names[state]
}

export function StoreBadge({ state }: { state: StoreState }) {
  const stateName = useStoreStateName()
  return (
    <Badge tone={STORE_TONE[state]} pulsing={state === 'behind'}>
      {stateName(state)}
    </Badge>
  )
}
