import { Drawer } from '@mantine/core'
import { commonMessages } from '../components/messages.ts'
import { useRestoreFocus } from '../components/use-restore-focus.ts'
import { useMessages } from '../i18n/language.tsx'
import { AccountMenu } from './account-menu.tsx'
import { Logo } from './logo.tsx'
import classes from './menu-drawer.module.css'
import { Navigation } from './navigation.tsx'

/** The navigation of small screens. */
export default function MenuDrawer({ onClose }: { onClose(): void }) {
  const m = useMessages(commonMessages)
  useRestoreFocus(true)
  return (
    <Drawer opened onClose={onClose} size={264} padding="md" closeButtonProps={{ 'aria-label': m.close }} title={<Logo />}>
      <div className={classes.menu}>
        <Navigation onNavigate={onClose} />
        <AccountMenu />
      </div>
    </Drawer>
  )
}
