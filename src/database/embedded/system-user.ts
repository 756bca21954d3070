import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

export interface SystemUser {
  name: string
  uid: number
  gid: number
}

const ACCOUNT = 'zinc-postgres'

function find(name: string): SystemUser | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((it) => it.startsWith(`${name}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  return uid && gid ? { name, uid: Number(uid), gid: Number(gid) } : undefined
}

/**
 * PostgreSQL refuses to run as root, so under root it gets an account of its own: made once, or `postgres` or `nobody` where none can be made.
 * Undefined when zinc does not run as root: then PostgreSQL runs as the same user.
 */
export function findSystemUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const known = find(ACCOUNT)
  if (known) return known
  if (existsSync('/usr/sbin/useradd')) {
    try {
      execFileSync('/usr/sbin/useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', ACCOUNT], { stdio: 'ignore' })
    } catch {
      // A read-only or foreign /etc: an existing account will do.
    }
  }
  return find(ACCOUNT) ?? find('postgres') ?? find('nobody')
}

/** Whether an account without rights of its own can enter every folder on the way to `path`. */
export function isWorldAccessible(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if (existsSync(at) && at !== path && (statSync(at).mode & 0o001) === 0) return false
    if (at === dirname(at)) return true
  }
}
