import { Popover, UnstyledButton, VisuallyHidden } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import ChevronsUpDown from 'lucide-react/icons/chevrons-up-down'
import LogOut from 'lucide-react/icons/log-out'
import UserRound from 'lucide-react/icons/user-round'
import { Link } from 'wouter'
import { AUTH } from '../api/endpoints.ts'
import { request } from '../api/request.ts'
import { useMessages } from '../i18n/language.tsx'
import classes from './account-menu.module.css'
import { frameMessages } from './messages.ts'
import { ACCOUNT } from './paths.ts'
import { LanguageSwitch, ThemeSwitch } from './preferences.tsx'
import { type CurrentUser, clearCache, sessionKey, useCurrentUser } from './session.tsx'

export function useRoleName(): (role: CurrentUser['role']) => string {
  const m = useMessages(frameMessages)
  return (role) => m[`role_${role}`]
}

export function useLogOut() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => request<unknown>(`${AUTH}/logout`, { method: 'POST' }),
    // Whatever the answer: who asked to be logged out must not go on seeing the page.
    onSettled: () => {
      client.setQueryData(sessionKey, null)
      clearCache(client)
    },
  })
}

/** Who is logged in; opens the account, language, theme and log out. */
export function AccountMenu() {
  const m = useMessages(frameMessages)
  const person = useCurrentUser()
  const roleName = useRoleName()
  const logout = useLogOut()
  return (
    <Popover position="top-start" width={240} trapFocus shadow="md">
      <Popover.Target>
        <UnstyledButton className={classes.button}>
          <span className={classes.initial} aria-hidden>
            {person.username.slice(0, 1).toUpperCase()}
          </span>
          <span className={classes.who}>
            <bdi className={classes.name}>{person.username}</bdi>
            <span className={classes.role}>{roleName(person.role)}</span>
          </span>
          <VisuallyHidden>{m.account}</VisuallyHidden>
          <ChevronsUpDown size={14} aria-hidden />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown className={classes.menu}>
        <Link href={ACCOUNT} className={classes.item}>
          <UserRound size={15} aria-hidden /> {m.accountPage}
        </Link>
        <div className={classes.row}>
          {m.language}
          <LanguageSwitch />
        </div>
        <ThemeSwitch />
        <UnstyledButton className={classes.item} onClick={() => logout.mutate()}>
          <LogOut size={15} aria-hidden /> {m.logout}
        </UnstyledButton>
        <p className={classes.version}>{m.version({ version: person.version })}</p>
      </Popover.Dropdown>
    </Popover>
  )
}
