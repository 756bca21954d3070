import { Drawer } from '@mantine/core'
import { AccountMenu } from './account-menu.tsx'
import { Logo } from './logo.tsx'
import classes from './menu-drawer.module.css'
import { Navigation } from './navigation.tsx'

/** The navigation of small screens. */
export default function MenuDrawer({ onClose }: { onClose(): void }) {
  return (
    <Drawer opened onClose={onClose} size={264} padding="md" title={<Logo />}>
      <div className={classes.menu}>
        <Navigation onNavigate={onClose} />
        <AccountMenu />
      </div>
    </Drawer>
  )
}
