import { ActionIcon, UnstyledButton } from '@mantine/core'
import { useDisclosure, useHotkeys } from '@mantine/hooks'
import Menu from 'lucide-react/icons/menu'
import Search from 'lucide-react/icons/search'
import { lazy, type ReactNode, Suspense } from 'react'
import { Link } from 'wouter'
import { Callout } from '../components/callout.tsx'
import { Ltr } from '../components/ltr.tsx'
import { useMessages } from '../i18n/language.tsx'
import { AccountMenu } from './account-menu.tsx'
import { Logo } from './logo.tsx'
import { frameMessages } from './messages.ts'
import { Navigation } from './navigation.tsx'
import { HOME } from './paths.ts'
import { useCurrentUser } from './session.tsx'
import classes from './shell.module.css'
import { StatusLine } from './status-line.tsx'

/** Opened by a key or its button, so not part of the first load. */
const SearchDialog = lazy(() => import('./search-dialog.tsx'))
/** Small screens only, so not part of the first load. */
const MenuDrawer = lazy(() => import('./menu-drawer.tsx'))

/**
 * The frame around every page: navigation at the side (in a drawer on small screens), the status
 * line on top.
 */
export function Shell({ children }: { children: ReactNode }) {
  const m = useMessages(frameMessages)
  const { untrusted_proxy } = useCurrentUser()
  const [menuOpen, menu] = useDisclosure(false)
  const [searching, search] = useDisclosure(false)
  // Also while a field has the focus; a slash there is text.
  useHotkeys([['mod+K', search.open]], [])
  useHotkeys([['/', search.open]])
  return (
    <div className={classes.shell}>
      <a href="#content" className={classes.skip}>
        {m.skip}
      </a>
      <aside className={classes.side} aria-label={m.side}>
        <Link href={HOME} className={classes.logo} aria-label={`zinc, ${m.overview}`}>
          <Logo />
        </Link>
        <div className={classes.scroll}>
          <Navigation />
        </div>
        <AccountMenu />
      </aside>
      <header className={classes.top}>
        <ActionIcon variant="subtle" color="gray" size="lg" className={classes.burger} onClick={menu.open} aria-label={m.openMenu}>
          <Menu size={20} aria-hidden />
        </ActionIcon>
        <StatusLine />
        <UnstyledButton className={classes.search} onClick={search.open}>
          <Search size={15} aria-hidden />
          <span className={classes.searchWords}>{m.searchShort}</span>
          <kbd className={classes.key} dir="ltr" aria-hidden>
            Ctrl K
          </kbd>
        </UnstyledButton>
      </header>
      {menuOpen && (
        <Suspense>
          <MenuDrawer onClose={menu.close} />
        </Suspense>
      )}
      {searching && (
        <Suspense>
          <SearchDialog onClose={search.close} />
        </Suspense>
      )}
      <main id="content" tabIndex={-1} className={classes.content}>
        {untrusted_proxy !== null && (
          <div className={classes.warning}>
            <Callout tone="warn" title={m.proxyTitle}>
              {m.proxyText} <Ltr mono>{`TRUSTED_PROXIES=${untrusted_proxy}`}</Ltr>
            </Callout>
          </div>
        )}
        {children}
      </main>
    </div>
  )
}
