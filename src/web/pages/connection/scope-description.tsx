import { useMessages } from '../../i18n/language.tsx'
import { scopeMessageKey, scopeMessages } from './scope-messages.ts'

/** What a scope opens, in the reader's language; `children` is how the server says it, for a scope that is not known here. */
export function ScopeDescription({ scope, children }: { scope: string; children: string }) {
  const words: Record<string, string> = useMessages(scopeMessages)
  return (
    words[scopeMessageKey(scope)] ?? (
      <bdi lang="en" dir="ltr">
        {children}
      </bdi>
    )
  )
}
