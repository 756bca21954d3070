import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { StartupError } from '../../lib/errors.ts'

export interface SystemUser {
  name: string
  uid: number
  gid: number
}

const ACCOUNT = 'zinc-postgres'

/**
 * Returns the account that PostgreSQL may run as, from the lines of /etc/passwd. Never one that
 * other services share, such as `nobody`.
 */
export function accountIn(passwd: string): SystemUser | undefined {
  for (const name of [ACCOUNT, 'postgres']) {
    const line = passwd.split('\n').find((it) => it.startsWith(`${name}:`))
    const [, , uid, gid] = line?.split(':') ?? []
    if (Number(uid) > 0 && gid) return { name, uid: Number(uid), gid: Number(gid) }
  }
  return undefined
}

const readPasswd = () => readFileSync('/etc/passwd', 'utf8')

/**
 * Returns the account for PostgreSQL, which refuses to run as root: under root it is created once,
 * or is `postgres` where none can be created. Undefined when zinc does not run as root: then
 * PostgreSQL runs as the same user. Throws StartupError `no_database_account`.
 */
export function findSystemUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const known = accountIn(readPasswd())
  if (known?.name === ACCOUNT) return known
  if (existsSync('/usr/sbin/useradd')) {
    try {
      execFileSync('/usr/sbin/useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', ACCOUNT], { stdio: 'ignore' })
    } catch {
      // /etc is read-only or not ours: an existing account will do.
    }
  }
  return requireAccount(accountIn(readPasswd()))
}

/** Throws StartupError `no_database_account` where there is none. */
export function requireAccount(account: SystemUser | undefined): SystemUser {
  if (account) return account
  throw new StartupError('no_database_account', { account: ACCOUNT }, { exitStatus: 1 })
}

/** Whether an unprivileged account can enter every folder on the way to `path`. */
export function isWorldAccessible(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if (existsSync(at) && at !== path && (statSync(at).mode & 0o001) === 0) return false
    if (at === dirname(at)) return true
  }
}
