import { Button } from '@mantine/core'
import CircleAlert from 'lucide-react/icons/circle-alert'
import { Link } from 'wouter'
import { toApiError } from '../api/api-error.ts'
import { errorMessage } from '../api/error-messages.ts'
import { useLanguage, useMessages } from '../i18n/language.tsx'
import { useFormat } from '../i18n/shop-zone.tsx'
import { CopyButton } from './copy-button.tsx'
import classes from './error-card.module.css'
import { Ltr } from './ltr.tsx'
import { commonMessages } from './messages.ts'

/**
 * What happened, what to do next, and the code to copy for support. Takes anything that was thrown.
 */
export function ErrorCard({ error, onRetry }: { error: unknown; onRetry?: (() => void) | undefined }) {
  const failure = toApiError(error)
  const { language } = useLanguage()
  const m = useMessages(commonMessages)
  const format = useFormat()
  const { what, next, original } = errorMessage(failure, language)
  return (
    <div role="alert" className={classes.card}>
      <CircleAlert size={18} aria-hidden className={classes.icon} />
      <div className={classes.text}>
        <p className={classes.what}>{what}</p>
        {next && (
          <p className={classes.next}>
            <strong>{m.next}:</strong> {next}
          </p>
        )}
        {original && (
          <p className={classes.original} lang="en" dir="ltr">
            {original}
          </p>
        )}
        <p className={classes.code}>
          <Ltr mono>{failure.code}</Ltr>
          <span>{format.dateTimeSeconds(failure.at)}</span>
          {failure.requestId && <Ltr mono>{failure.requestId}</Ltr>}
        </p>
        <div className={classes.actions}>
          {onRetry && (
            <Button size="xs" variant="default" onClick={onRetry}>
              {m.retry}
            </Button>
          )}
          {failure.runId && (
            <Button size="xs" variant="default" component={Link} href={`/integrations/zoho/runs/${failure.runId}`}>
              {m.openRun}
            </Button>
          )}
          <CopyButton value={failure.forSupport()} what={failure.code} label={m.copyForSupport} />
        </div>
      </div>
    </div>
  )
}
