import { Button } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useLogOut } from '../../app/account-menu.tsx'
import { AuthLayout } from '../../app/auth-layout.tsx'
import { frameMessages } from '../../app/messages.ts'
import { sessionKey } from '../../app/session.tsx'
import { useMessages } from '../../i18n/language.tsx'
import classes from './account.module.css'
import { accountMessages } from './messages.ts'
import { SetUpSecondFactor } from './set-up-second-factor.tsx'

/** Stands in for every page until the account has the second factor that it must have. */
export default function SecondFactorRequired() {
  const m = useMessages(accountMessages)
  const frame = useMessages(frameMessages)
  const client = useQueryClient()
  const logOut = useLogOut()
  return (
    <AuthLayout title={m.requiredTitle}>
      <div className={classes.stack}>
        <p>{m.requiredText}</p>
        <SetUpSecondFactor onDone={() => void client.invalidateQueries({ queryKey: sessionKey })} />
        <Button variant="subtle" size="xs" onClick={() => logOut.mutate()}>
          {frame.logout}
        </Button>
      </div>
    </AuthLayout>
  )
}
