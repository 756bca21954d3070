import { BOOKS_MODULES, findBooksModule } from '../../facts/books-modules.ts'
import type { SessionStatus as BadgeName, PullModule } from '../../schemas/pulls.ts'
import { Badge, type Tone } from '../components/badge.tsx'
import { useLanguage, useMessages } from '../i18n/language.tsx'
import { pullsMessages } from './messages.ts'

/** Zoho Invoice knows less than Books. */
export const modulesOf = (app: 'books' | 'invoice'): readonly PullModule[] =>
  BOOKS_MODULES.filter((it) => app === 'books' || it.invoice).map(({ name }) => name)

const TONE: Record<BadgeName, Tone> = {
  running: 'info',
  paused: 'warn',
  interrupted: 'warn',
  cancelled: 'plain',
  incomplete: 'bad',
  unverified: 'plain',
  verified: 'good',
  differs: 'warn',
  broken: 'bad',
}

export function SessionBadge({ badge }: { badge: BadgeName }) {
  const m = useMessages(pullsMessages)
  return (
    <Badge tone={TONE[badge]} pulsing={badge === 'running'}>
      {m[`badge_${badge}`]}
    </Badge>
  )
}

/** The name of a module; one that is not known yet as it is. */
export function useModuleName(): (module: string) => string {
  const { language } = useLanguage()
  return (module) => findBooksModule(module)?.label[language] ?? module
}

/** sync_session_2026-11-25_03-00-00 -> the moment, in UTC as the name is written. */
export function sessionMoment(session: string): string | null {
  const read = /(\d{4}-\d{2}-\d{2})_(\d{2})-(\d{2})-(\d{2})$/.exec(session)
  return read ? `${read[1]}T${read[2]}:${read[3]}:${read[4]}.000Z` : null
}

/**
 * All files of a session lie in one folder: its name beside each of them would only hide what
 * differs.
 */
export const baseName = (file: string): string => file.slice(file.lastIndexOf('/') + 1)
