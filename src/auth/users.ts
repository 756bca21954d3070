import { randomBytes } from 'node:crypto'
import type { Database, Db } from '../database/client.ts'
import { advisoryXactLock } from '../database/locks.ts'
import type { AppUser } from '../generated/client.ts'
import type { Clock } from '../lib/clock.ts'
import { BadRequestError, ConflictError, NotFoundError } from '../lib/errors.ts'
import { findPasswordWeakness, MIN_PASSWORD_LENGTH } from '../lib/weak-password.ts'
import { cleanUsername, type UserBody, type UserPatch } from '../schemas/auth.ts'
import { type Actor, recordAudit, SYSTEM_ACTOR } from '../settings/audit-log.ts'
import type { Authenticator } from './authenticate.ts'
import { endSessions } from './end-sessions.ts'
import type { Passwords } from './passwords.ts'

/**
 * All changes of users are sequential, so that two admins who remove each other at the same moment
 * do not leave none.
 */
const LOCK = 'users'

export type Users = ReturnType<typeof createUsers>

/** A user, and whether an authenticator app is set up. */
export type UserRow = AppUser & { second_factor: { confirmed_at: Date | null } | null }
const include = { second_factor: { select: { confirmed_at: true } } } as const

/** Throws BadRequestError `weak_password`. */
function refuseWeak(password: string, username?: string): void {
  const isName = username !== undefined && password.toLowerCase().includes(username.toLowerCase()) && password.length < username.length + 8
  const weakness = findPasswordWeakness(password) ?? (isName ? 'like_username' : null)
  if (weakness === null) return
  throw new BadRequestError(`weak_password.${weakness}`, { min_password_length: MIN_PASSWORD_LENGTH })
}

export interface UsersDeps {
  db: Database
  authenticator: Authenticator
  passwords: Passwords
  clock: Clock
}

export function createUsers({ db, authenticator, passwords, clock }: UsersDeps) {
  async function find(tx: Db, id: string): Promise<UserRow> {
    const user = await tx.appUser.findUnique({ where: { id }, include })
    if (!user) throw new NotFoundError('user_not_found')
    return user
  }
  async function refuseTaken(tx: Db, username: string, except?: string): Promise<void> {
    const other = await tx.appUser.findUnique({ where: { username }, select: { id: true } })
    if (other && other.id !== except) throw new ConflictError('username_taken', { username })
  }
  async function refuseLastAdmin(tx: Db, user: AppUser): Promise<void> {
    if (user.role === 'admin' && (await tx.appUser.count({ where: { role: 'admin' } })) === 1) throw new ConflictError('last_admin')
  }
  /** Makes one change of users at a time; the token cache is cleared once it is committed. */
  async function change<T>(work: (tx: Db) => Promise<T>): Promise<T> {
    const result = await db.$transaction(async (tx) => {
      await advisoryXactLock(tx, LOCK)
      return work(tx)
    })
    authenticator.invalidate()
    return result
  }

  return {
    list: (): Promise<UserRow[]> => db.appUser.findMany({ include, orderBy: [{ created_at: 'asc' }, { id: 'asc' }] }),

    /** Throws ConflictError `username_taken`, BadRequestError `weak_password`. */
    async create({ username, password, role }: UserBody, by: Actor): Promise<UserRow> {
      refuseWeak(password, username)
      const password_hash = await passwords.hash(password)
      return change(async (tx) => {
        await refuseTaken(tx, username)
        const user = await tx.appUser.create({ data: { username, password_hash, role, created_at: clock.now() }, include })
        await recordAudit(tx, {
          ...by,
          action: 'user.create',
          target: `user:${username}`,
          fields: ['username', 'password', `role: ${role}`],
        })
        return user
      })
    },

    /**
     * A new password or role ends the user's sessions, except `keep` (the current one, when users
     * change their own password). Throws NotFoundError, ConflictError `last_admin` or
     * `username_taken`, BadRequestError `weak_password`.
     */
    async patch(
      id: string,
      { username, password, role }: UserPatch,
      by: Actor,
      { keep }: { keep?: string | undefined } = {},
    ): Promise<UserRow> {
      if (password !== undefined) refuseWeak(password, username)
      const password_hash = password === undefined ? undefined : await passwords.hash(password)
      return change(async (tx) => {
        const user = await find(tx, id)
        if (username !== undefined) await refuseTaken(tx, username, id)
        if (role !== undefined && role !== 'admin') await refuseLastAdmin(tx, user)
        const fields = [
          ...(username !== undefined && username !== user.username ? ['username'] : []),
          ...(password_hash !== undefined ? ['password'] : []),
          // The one value that is recorded: changes of rights must be visible in the audit log.
          ...(role !== undefined && role !== user.role ? [`role: ${user.role} → ${role}`] : []),
        ]
        if (fields.length === 0) return user
        const changed = await tx.appUser.update({
          where: { id },
          include,
          data: {
            ...(username !== undefined && { username }),
            ...(password_hash !== undefined && { password_hash }),
            ...(role && { role }),
          },
        })
        if (role !== undefined && role !== user.role) await endSessions(tx, { userId: id, at: clock.now() })
        else if (fields.includes('password')) await endSessions(tx, { userId: id, at: clock.now(), except: keep })
        await recordAudit(tx, { ...by, action: 'user.change', target: `user:${user.username}`, fields })
        return changed
      })
    },

    /** Returns the user as it was. Throws NotFoundError, ConflictError `last_admin`. */
    remove: (id: string, by: Actor): Promise<UserRow> =>
      change(async (tx) => {
        const user = await find(tx, id)
        await refuseLastAdmin(tx, user)
        await tx.appUser.delete({ where: { id } })
        await recordAudit(tx, { ...by, action: 'user.delete', target: `user:${user.username}` })
        return user
      }),
  }
}

/**
 * Creates the first admin when there is no user yet. Returns a generated password, so that it can
 * be printed once. Of several processes that start concurrently one creates it.
 */
export async function ensureAdmin(
  { db, passwords }: { db: Database; passwords: Passwords },
  { username, password }: { username: string; password: string | undefined },
): Promise<{ made: boolean; password: string | null }> {
  if ((await db.appUser.count()) > 0) return { made: false, password: null }
  // As a login looks it up: trimmed and normalized.
  username = cleanUsername(username)
  const chosen = password ?? randomBytes(12).toString('base64url')
  const password_hash = await passwords.hash(chosen)
  return db.$transaction(async (tx) => {
    await advisoryXactLock(tx, LOCK)
    if ((await tx.appUser.count()) > 0) return { made: false, password: null }
    await tx.appUser.create({ data: { username, password_hash, role: 'admin' } })
    await recordAudit(tx, { ...SYSTEM_ACTOR, action: 'user.create', target: `user:${username}`, fields: ['username', 'password', 'role'] })
    return { made: true, password: password === undefined ? chosen : null }
  })
}
