import { createHash } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import type { Database, Db } from '../database/client.ts'
import type { SecondFactor as Stored } from '../generated/client.ts'
import type { Clock } from '../lib/clock.ts'
import { ConflictError, UnauthorizedError } from '../lib/errors.ts'
import { type Actor, recordAudit } from '../settings/audit-log.ts'
import { aadFor, ENCRYPTED_TOTP_SECRETS } from '../settings/encrypted-columns.ts'
import type { Encryption } from '../settings/encryption.ts'
import type { Authenticator } from './authenticate.ts'
import { endSessions } from './end-sessions.ts'

const PERIOD_SECONDS = 30
/** Phones whose clock is wrong by up to a step are accepted. */
const DRIFT_STEPS = 1
const SECRET_BYTES = 20
const RECOVERY_CODES = 10
/** 80 bits: such a code cannot be found from its hash, so a fast hash is enough. */
const RECOVERY_CODE_BYTES = 10

/** What a user sends in addition to the password. */
export type Proof = { code: string } | { recovery_code: string }

export interface SecondFactorDeps {
  db: Database
  encryption: Encryption
  authenticator: Authenticator
  clock: Clock
}

export type SecondFactor = ReturnType<typeof createSecondFactor>

/** Throws UnauthorizedError `invalid_code`. */
export const invalidCode = () => new UnauthorizedError('invalid_code.second_factor')

/** The users' authenticator apps (TOTP, RFC 6238) and their recovery codes. */
export function createSecondFactor({ db, encryption, authenticator, clock }: SecondFactorDeps) {
  const aadOf = (userId: string) => aadFor(ENCRYPTED_TOTP_SECRETS, userId)

  /** Returns the time step of a code, if it is valid now. */
  function stepOf({ user_id, totp_secret }: Stored, code: string): number | null {
    const secret = Secret.fromBase32(encryption.decrypt(totp_secret, aadOf(user_id)))
    const timestamp = clock.now().getTime()
    const delta = new TOTP({ secret, period: PERIOD_SECONDS }).validate({ token: readDigits(code), timestamp, window: DRIFT_STEPS })
    return delta === null ? null : Math.floor(timestamp / 1000 / PERIOD_SECONDS) + delta
  }

  /** In one statement: of two requests with one code, one succeeds. */
  async function spendCode(tx: Db, stored: Stored, code: string): Promise<boolean> {
    const step = stepOf(stored, code)
    if (step === null) return false
    const { user_id, created_at } = stored
    const { count } = await tx.secondFactor.updateMany({
      where: { user_id, created_at, OR: [{ last_step: null }, { last_step: { lt: step } }] },
      data: { last_step: step },
    })
    return count > 0
  }

  async function spendRecoveryCode(tx: Db, userId: string, code: string): Promise<boolean> {
    const { count } = await tx.recoveryCode.updateMany({
      where: { user_id: userId, code_hash: hashRecoveryCode(code), used_at: null },
      data: { used_at: clock.now() },
    })
    return count > 0
  }

  const findConfirmed = (tx: Db, userId: string) => tx.secondFactor.findFirst({ where: { user_id: userId, confirmed_at: { not: null } } })

  return {
    /** Null for a user who has none, or has not confirmed it. */
    async status(userId: string): Promise<{ recovery_codes_left: number } | null> {
      if (!(await findConfirmed(db, userId))) return null
      return { recovery_codes_left: await db.recoveryCode.count({ where: { user_id: userId, used_at: null } }) }
    },

    /**
     * Creates a secret for the authenticator app; it is active once a code of it was confirmed.
     * Throws ConflictError `totp_enabled`.
     */
    async begin({ id, username }: { id: string; username: string }): Promise<{ secret: string; otpauth_url: string }> {
      const secret = new Secret({ size: SECRET_BYTES })
      const totp_secret = encryption.encrypt(secret.base32, aadOf(id))
      await db.$transaction(async (tx) => {
        // Only an unconfirmed one is replaced, even when another request confirms it at this
        // moment.
        const changed = await tx.$executeRaw`
          insert into second_factor (user_id, totp_secret, created_at) values (${id}::uuid, ${totp_secret}, ${clock.now()})
          on conflict (user_id) do update set totp_secret = excluded.totp_secret, created_at = excluded.created_at, last_step = null
            where second_factor.confirmed_at is null`
        if (changed === 0) throw new ConflictError('totp_enabled')
      })
      const otpauth_url = new TOTP({ issuer: 'zinc', label: username, secret, period: PERIOD_SECONDS }).toString()
      return { secret: secret.base32, otpauth_url }
    },

    /**
     * Turns the second factor on and ends the other sessions, which were opened without it. Returns
     * the recovery codes, only here. Throws ConflictError `totp_not_begun`, UnauthorizedError
     * `invalid_code`.
     */
    async confirm(userId: string, code: string, by: Actor, { keep }: { keep: string }): Promise<string[]> {
      const codes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode)
      await db.$transaction(async (tx) => {
        const begun = await tx.secondFactor.findFirst({ where: { user_id: userId, confirmed_at: null } })
        if (!begun) throw new ConflictError('totp_not_begun')
        if (!(await spendCode(tx, begun, code))) throw invalidCode()
        await tx.secondFactor.update({ where: { user_id: userId }, data: { confirmed_at: clock.now() } })
        await tx.recoveryCode.createMany({ data: codes.map((it) => ({ user_id: userId, code_hash: hashRecoveryCode(it) })) })
        await endSessions(tx, { userId, at: clock.now(), except: keep })
        await recordAudit(tx, { ...by, action: 'totp.enable', target: `user:${by.actor}` })
      })
      authenticator.invalidate()
      return codes
    },

    /**
     * Uses up a code or recovery code of the user; false when it is invalid, or was used before.
     */
    accept: (tx: Db, userId: string, proof: Proof): Promise<boolean> =>
      'code' in proof
        ? findConfirmed(tx, userId).then((it) => it !== null && spendCode(tx, it, proof.code))
        : spendRecoveryCode(tx, userId, proof.recovery_code),

    /**
     * Removes the second factor and its recovery codes; false when there was none. `endsSessions`:
     * for a user who lost the phone.
     */
    async remove(
      user: { id: string; username: string },
      by: Actor,
      { action, endsSessions = false }: { action: 'totp.disable' | 'totp.reset'; endsSessions?: boolean },
    ): Promise<boolean> {
      const removed = await db.$transaction(async (tx) => {
        const { count } = await tx.secondFactor.deleteMany({ where: { user_id: user.id } })
        if (count === 0) return false
        await tx.loginChallenge.deleteMany({ where: { user_id: user.id } })
        if (endsSessions) await endSessions(tx, { userId: user.id, at: clock.now() })
        await recordAudit(tx, { ...by, action, target: `user:${user.username}` })
        return true
      })
      authenticator.invalidate()
      return removed
    },
  }
}

/** Apps show a code in two halves, and Arabic keyboards have their own digits. */
const readDigits = (code: string): string =>
  code.replace(/\s/g, '').replace(/[٠-٩۰-۹]/g, (digit) => String((digit.codePointAt(0) ?? 0) & 0xf))

const newRecoveryCode = (): string => new Secret({ size: RECOVERY_CODE_BYTES }).base32.toLowerCase().replace(/.{4}(?=.)/g, '$&-')

const hashRecoveryCode = (code: string): string =>
  createHash('sha256')
    .update(code.toLowerCase().replace(/[^a-z2-7]/g, ''))
    .digest('hex')
