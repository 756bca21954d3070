import { Button } from '@mantine/core'
import Compass from 'lucide-react/icons/compass'
import { Link } from 'wouter'
import { EmptyState } from '../components/empty-state.tsx'
import { Page } from '../components/page.tsx'
import { useMessages } from '../i18n/language.tsx'
import { frameMessages } from './messages.ts'
import { HOME } from './paths.ts'

export function NotFound() {
  const m = useMessages(frameMessages)
  return (
    <Page title={m.notFoundTitle}>
      <EmptyState
        icon={Compass}
        title={m.notFoundText}
        action={
          <Button component={Link} href={HOME}>
            {m.toOverview}
          </Button>
        }
      />
    </Page>
  )
}
