import { useLanguage } from '../../i18n/language.tsx'
import { describeScope } from './scope-labels.ts'

/**
 * What a scope opens, in the reader's words; for one that the page does not know, what the server
 * says.
 */
export function ScopeDescription({ scope, children }: { scope: string; children: string }) {
  const { language } = useLanguage()
  return (
    describeScope(scope, language) ?? (
      <bdi lang="en" dir="ltr">
        {children}
      </bdi>
    )
  )
}
