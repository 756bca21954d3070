import { z } from 'zod'
import { ROLES } from '../facts/roles.ts'

/** The rights of a user: everything; run syncs and edit images; read. */
export const PersonRole = z.enum(ROLES)

/**
 * Returns the name that a person meant: phone keyboards add a blank, copied text has invisible
 * marks, and a letter may have several encodings.
 */
export const cleanUsername = (name: string): string =>
  name
    .replace(/\p{Cf}/gu, '')
    .trim()
    .normalize('NFC')

/**
 * `POST /api/v1/auth/login`: username and password or, after `second_factor_required`, its
 * challenge and a code or recovery code. `cookie`: the page requests HttpOnly cookies and stores no
 * token itself.
 */
export const LoginBody = z
  .object({
    username: z.string().min(1).max(200).transform(cleanUsername).optional(),
    password: z.string().min(1).max(1000).optional(),
    challenge: z.string().min(1).max(200).optional(),
    code: z.string().min(1).max(50).optional(),
    recovery_code: z.string().min(1).max(100).optional(),
    cookie: z.boolean().default(false),
  })
  .superRefine((body, { addIssue }) => {
    const given = (names: ('username' | 'password' | 'code' | 'recovery_code')[]) => names.filter((name) => body[name] !== undefined)
    const wrong = (name: string, message: string) => addIssue({ code: 'custom', path: [name], message })
    if (body.challenge === undefined) {
      for (const name of ['username', 'password'] as const) if (body[name] === undefined) wrong(name, 'is required')
      for (const name of given(['code', 'recovery_code'])) wrong(name, 'it needs the challenge that the login answered')
      return
    }
    for (const name of given(['username', 'password'])) wrong(name, 'not allowed together with a challenge')
    if (given(['code', 'recovery_code']).length === 0) wrong('code', 'is required')
    if (given(['code', 'recovery_code']).length === 2) wrong('recovery_code', 'send code or recovery_code, not both')
  })
/**
 * `POST /api/v1/auth/refresh`. Without a token the page's own cookie is used, and the new tokens
 * are sent as cookies.
 */
export const RefreshBody = z.object({ refresh_token: z.string().min(1).max(200).optional() })

export const SessionResponse = z.object({
  status: z.literal('success'),
  data: z.object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    /** Seconds until the access token expires. */
    expires_in: z.number(),
    /** Null after a refresh by cookie: it is in the cookie only. */
    refresh_token: z.string().nullable(),
    role: PersonRole,
  }),
})

/** `POST /api/v1/auth/password` */
export const ChangePasswordBody = z.object({ current_password: z.string().min(1).max(1000), new_password: z.string().min(1).max(1000) })

/** `GET /api/v1/auth/sessions`: the user's active logins, the newest first. */
export const UserSessionsResponse = z.object({
  status: z.literal('success'),
  data: z.array(
    z.object({
      id: z.uuid(),
      created_at: z.iso.datetime(),
      /** The login or its last refresh. */
      last_used_at: z.iso.datetime(),
      /** The network of an IPv6 address; null: opened on the command line. */
      address: z.string().nullable(),
      user_agent: z.string().nullable(),
      current: z.boolean(),
    }),
  ),
  next_cursor: z.null(),
})

/** `POST /api/v1/auth/totp`: for the authenticator app; the URL is the content of a QR code. */
export const TotpSecretResponse = z.object({
  status: z.literal('success'),
  data: z.object({ secret: z.string(), otpauth_url: z.string() }),
})
const Code = z.string().min(1).max(50)
/** `POST /api/v1/auth/totp/confirm` */
export const ConfirmTotpBody = z.object({ code: Code })
export const RecoveryCodesResponse = z.object({
  status: z.literal('success'),
  /** Shown only here. */
  data: z.object({ recovery_codes: z.array(z.string()) }),
})
/** `DELETE /api/v1/auth/totp`. `code`: of the app, or a recovery code. */
export const RemoveTotpBody = z.object({ password: z.string().min(1).max(1000), code: Code })

/** `GET /api/v1/auth/me` */
export const CurrentUserResponse = z.object({
  status: z.literal('success'),
  data: z.object({
    user_id: z.uuid(),
    username: z.string(),
    role: PersonRole,
    /** Null: none is set up. */
    second_factor: z.object({ recovery_codes_left: z.number() }).nullable(),
    /** Everything except setting one up is refused until then. */
    must_set_up_second_factor: z.boolean(),
    /**
     * For admins: a proxy that TRUSTED_PROXIES does not name forwards requests, so that all of its
     * clients count as one.
     */
    untrusted_proxy: z.string().nullable(),
    /** Of the server. */
    version: z.string(),
  }),
})

export const User = z.object({
  id: z.uuid(),
  username: z.string(),
  role: PersonRole,
  created_at: z.iso.datetime(),
  last_login_at: z.iso.datetime().nullable(),
  /** An authenticator app is set up. */
  second_factor: z.boolean(),
})
export type User = z.infer<typeof User>

const Username = z
  .string()
  .transform(cleanUsername)
  .pipe(
    z
      .string()
      .min(1)
      .max(100)
      .regex(/^[^\p{Cc}\p{Cf}\p{Cs}]+$/u, 'must have no control characters'),
  )
/** Its strength is checked by `weak_password`. */
const Password = z.string().min(1).max(1000)

/** `POST /api/v1/users` */
export const UserBody = z.object({ username: Username, password: Password, role: PersonRole })
export type UserBody = z.infer<typeof UserBody>
/** `PATCH /api/v1/users/{id}`: a new password or role ends all sessions of that user. */
export const UserPatch = z.object({ username: Username, password: Password, role: PersonRole }).partial()
export type UserPatch = z.infer<typeof UserPatch>

export const UsersResponse = z.object({ status: z.literal('success'), data: z.array(User), next_cursor: z.null() })
export const UserResponse = z.object({ status: z.literal('success'), data: User })
/** `DELETE /api/v1/users/{id}`: the user as it was. */
export const UserDeletedResponse = UserResponse
