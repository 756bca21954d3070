import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { lockInTransaction } from '../database/locks.ts'
import type { Database } from '../db.ts'
import { hashPassword } from './passwords.ts'

export const Role = z.enum(['admin', 'operator', 'viewer'])
export type Role = z.infer<typeof Role>

/**
 * Makes the first admin when there is no user yet. Answers the password if one was made up, so that the door can print it once.
 * Several processes that start at once make one.
 */
export async function ensureAdmin(
  db: Database,
  { username, password }: { username: string; password: string | undefined },
): Promise<{ made: boolean; password: string | null }> {
  if ((await db.appUser.count()) > 0) return { made: false, password: null }
  const chosen = password ?? randomBytes(12).toString('base64url')
  const password_hash = await hashPassword(chosen)
  return db.$transaction(async (tx) => {
    await lockInTransaction(tx, 'first admin')
    if ((await tx.appUser.count()) > 0) return { made: false, password: null }
    await tx.appUser.create({ data: { username, password_hash, role: 'admin' } })
    return { made: true, password: password === undefined ? chosen : null }
  })
}
