import type { Db } from '../database/client.ts'

/**
 * Ends the logins of a user, except `except`, and those that still wait for a code; their access
 * tokens are refused from then on. Invalidate the authenticator after the commit.
 */
export async function endSessions(
  tx: Db,
  { userId, at, except }: { userId: string; at: Date; except?: string | undefined },
): Promise<void> {
  await tx.session.updateMany({
    where: { user_id: userId, ended_at: null, ...(except !== undefined && { id: { not: except } }) },
    data: { ended_at: at },
  })
  await tx.loginChallenge.deleteMany({ where: { user_id: userId } })
}
