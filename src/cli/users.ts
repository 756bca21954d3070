import { type Command, Option } from 'commander'
import { Role } from '../auth/roles.ts'
import type { Database } from '../database/client.ts'
import type { AppUser } from '../generated/client.ts'
import { BadRequestError, NotFoundError } from '../lib/errors.ts'
import { UserBody } from '../schemas/auth.ts'
import { recordAudit, SYSTEM_ACTOR } from '../settings/audit-log.ts'
import type { Action } from './context.ts'
import { newPassword } from './prompt-password.ts'

async function findUser(db: Database, username: string): Promise<AppUser> {
  const user = await db.appUser.findUnique({ where: { username } })
  if (!user) throw new NotFoundError('user_not_found.named', { username })
  return user
}

const shown = ({ id, username, role, created_at, last_login_at }: AppUser) => ({ id, username, role, created_at, last_login_at })

export function addUsers(program: Command, action: Action): void {
  program
    .command('login')
    .description('print an access token of an admin for an hour of curl: TOKEN=$(npx zinc login)')
    .option('-u, --username <name>', 'another user than the first admin')
    .action(
      action(async ({ services, result }, { username }: { username?: string }) => {
        const { db, sessions } = await services()
        const user = username
          ? await findUser(db, username)
          : await db.appUser.findFirst({ where: { role: 'admin' }, orderBy: { created_at: 'asc' } })
        if (!user) throw new NotFoundError('user_not_found.no_admin')
        const session = await sessions.open(user, null)
        await recordAudit(db, { ...SYSTEM_ACTOR, action: 'session.open', target: `user:${user.username}` })
        result({ status: 'success', data: session }, session.access_token)
        return undefined
      }),
    )

  const users = program.command('user').description('the people who may log in')
  users
    .command('add <username>')
    .description('add a user; the password comes from ZINC_PASSWORD, is asked for, or is made up and shown once')
    .addOption(new Option('-r, --role <role>', 'what the user may do').choices(Role.options).default('viewer'))
    .action(
      action(async ({ services, result }, username: string, { role }: { role: Role }) => {
        const { password, made } = await newPassword()
        const body = UserBody.safeParse({ username, password, role })
        if (!body.success)
          throw new BadRequestError('invalid_user', {
            field: body.error.issues[0]?.path.join('.') ?? '',
            problem: body.error.issues[0]?.message ?? '',
          })
        const user = await (await services()).users.create(body.data, SYSTEM_ACTOR)
        result(
          { status: 'success', data: { ...shown(user), ...(made && { password }) } },
          `${user.username} is added as ${role}.${made ? ` Password: ${password}  (shown this once)` : ''}`,
        )
        return undefined
      }),
    )
  users
    .command('list')
    .description('list the users')
    .action(
      action(async ({ services, result }) => {
        const all = await (await services({ mustExist: true })).users.list()
        const lines = all.map(
          (it) => `${it.role.padEnd(9)} ${it.username}${it.last_login_at ? `  last login ${it.last_login_at.toISOString()}` : ''}`,
        )
        result({ status: 'success', data: all.map(shown) }, lines.join('\n'))
        return undefined
      }),
    )
  users
    .command('passwd <username>')
    .description('set a new password and end all logins of the user')
    .action(
      action(async ({ services, result }, username: string) => {
        const { db, users: all } = await services({ mustExist: true })
        const { id } = await findUser(db, username)
        const { password, made } = await newPassword()
        await all.patch(id, { password }, SYSTEM_ACTOR)
        result(
          { status: 'success', data: { username, ...(made && { password }) } },
          `${username} has a new password; all its logins have ended.${made ? ` Password: ${password}  (shown this once)` : ''}`,
        )
        return undefined
      }),
    )
  users
    .command('reset-totp <username>')
    .description('take the second factor away from who lost it, and end all logins of the user')
    .action(
      action(async ({ services, result }, username: string) => {
        const { db, secondFactor } = await services({ mustExist: true })
        const user = await findUser(db, username)
        const removed = await secondFactor.remove(user, SYSTEM_ACTOR, { action: 'totp.reset', endsSessions: true })
        result(
          { status: 'success', data: { username, removed } },
          removed ? `${username} logs in with the password alone now; all its logins have ended.` : `${username} has no second factor.`,
        )
        return undefined
      }),
    )
}
