import { z } from 'zod'
import { ROLES } from '../facts/roles.ts'

/** What a person may do: everything; run syncs and edit pictures; read. */
export const PersonRole = z.enum(ROLES)

/** As people mean it: keyboards of phones add a blank, copied text has invisible marks, and one letter has several spellings. */
export const cleanUsername = (name: string): string =>
  name
    .replace(/\p{Cf}/gu, '')
    .trim()
    .normalize('NFC')

/** `POST /api/v1/auth/login`. `cookie`: the page asks for HttpOnly cookies and keeps no token itself. */
export const LoginBody = z.object({
  username: z.string().min(1).max(200).transform(cleanUsername),
  password: z.string().min(1).max(1000),
  cookie: z.boolean().default(false),
})
/** `POST /api/v1/auth/refresh`. Without a token the page's own cookie is taken, and the new tokens come as cookies. */
export const RefreshBody = z.object({ refresh_token: z.string().min(1).max(200).optional() })

export const SessionResponse = z.object({
  status: z.literal('success'),
  data: z.object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    /** Seconds until the access token ends. */
    expires_in: z.number(),
    /** Null after a refresh by cookie: it is in the cookie only. */
    refresh_token: z.string().nullable(),
    role: PersonRole,
  }),
})

/** `POST /api/v1/auth/password` */
export const ChangePasswordBody = z.object({ current_password: z.string().min(1).max(1000), new_password: z.string().min(1).max(1000) })

/** `GET /api/v1/auth/sessions`: the logins of the person that have not ended, the newest first. */
export const UserSessionsResponse = z.object({
  status: z.literal('success'),
  data: z.array(
    z.object({
      id: z.uuid(),
      created_at: z.iso.datetime(),
      /** The login or its last refresh. */
      last_used_at: z.iso.datetime(),
      /** Of an IPv6 address its network; null: opened on the command line. */
      address: z.string().nullable(),
      user_agent: z.string().nullable(),
      current: z.boolean(),
    }),
  ),
  next_cursor: z.null(),
})

/** `GET /api/v1/auth/me` */
export const CurrentUserResponse = z.object({
  status: z.literal('success'),
  data: z.object({ user_id: z.uuid(), username: z.string(), role: PersonRole }),
})

export const User = z.object({
  id: z.uuid(),
  username: z.string(),
  role: PersonRole,
  created_at: z.iso.datetime(),
  last_login_at: z.iso.datetime().nullable(),
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
/** Its strength is told by `weak_password`. */
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
