import { Link, useSearchParams } from 'wouter'
import { ApiError } from '../../api/api-error.ts'
import { errorMessage } from '../../api/error-messages.ts'
import { HOME } from '../../app/paths.ts'
import { Callout } from '../../components/callout.tsx'
import { useLanguage, useMessages } from '../../i18n/language.tsx'
import { connectionMessages } from './messages.ts'

/**
 * How the consent at Zoho went: its way back leads to the overview with `?consent=`, which is
 * `success` or the code of what failed.
 */
export function ConsentCallout() {
  const m = useMessages(connectionMessages)
  const { language } = useLanguage()
  const [search] = useSearchParams()
  const consent = search.get('consent')
  if (consent === null) return null
  if (consent === 'success') return <Callout tone="good" title={m.connected} />
  const words: Record<string, string> = { consent_denied: m.consentRefused, invalid_state: m.consentState }
  // English words for a code come with an answer of the API, which a redirect does not have.
  const arabic = language === 'ar' ? errorMessage(new ApiError(consent, { status: 0, code: consent, url: '' }), language).what : undefined
  return (
    <Callout tone="bad" title={m.callbackFailed}>
      {words[consent] ?? arabic ?? m.consentElse} <code dir="ltr">{consent}</code> <Link href={`${HOME}/connection`}>{m.title}</Link>
    </Callout>
  )
}
