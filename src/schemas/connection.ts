import { z } from 'zod'
import { DATA_CENTERS } from '../facts/data-centers.ts'
import { MessageParams } from './message.ts'

/** Zoho's data centers by the end of their host names. */
export const DataCenter = z.enum(DATA_CENTERS)

/**
 * not_set_up: a credential or the organization is missing | connected | limited: Zoho refuses calls
 * until `until` | stale: the last sign-in or call failed and needs attention | revoked: the refresh
 * token is invalid, connect again
 */
export const ConnectionState = z.enum(['not_set_up', 'connected', 'limited', 'stale', 'revoked'])
export type ConnectionState = z.infer<typeof ConnectionState>

export const Connection = z.object({
  state: ConnectionState,
  /** When this state began; null before the first sign-in. */
  since: z.iso.datetime().nullable(),
  /** When a limit ends automatically; null otherwise. */
  until: z.iso.datetime().nullable(),
  /** What happened, for people; null while connected. */
  cause: z.string().nullable(),
  /** Code of the cause, for example invalid_code. */
  code: z.string().nullable(),
  remedy: z.string().nullable(),
  /** The parameters of cause and remedy. */
  params: MessageParams.nullable(),
})
export type Connection = z.infer<typeof Connection>

/** One line of the test's checklist. */
export const Check = z.object({
  name: z.string(),
  ok: z.boolean(),
  ms: z.number(),
  /** The module and the scope that the check reads with, where it belongs to one. */
  module: z.string().optional(),
  scope: z.string().optional(),
  code: z.string().optional(),
  /** Zoho's own code, where it sent one. */
  zoho_code: z.string().optional(),
  message: z.string().optional(),
  remedy: z.string().optional(),
  params: MessageParams.optional(),
})
export type Check = z.infer<typeof Check>

export const Organization = z.object({
  id: z.string(),
  name: z.string().nullable(),
  currency: z.string().nullable(),
  time_zone: z.string().nullable(),
})
export type Organization = z.infer<typeof Organization>

/** `POST /test` */
export const TestResponse = z.object({
  status: z.literal('success'),
  data: z.object({ ok: z.boolean(), organization: Organization.nullable(), api_domain: z.string(), checks: z.array(Check) }),
})
export type TestResult = z.infer<typeof TestResponse>['data']

/** `GET /test/history`: the newest first. */
export const ConnectionTest = z.object({
  id: z.int(),
  tested_at: z.iso.datetime(),
  tested_by: z.string(),
  ok: z.boolean(),
  checks: z.array(Check),
})
export type ConnectionTest = z.infer<typeof ConnectionTest>
export const TestHistoryResponse = z.object({ status: z.literal('success'), data: z.array(ConnectionTest) })

/** `POST /authorize`: the grant code of a self client, which Zoho's console shows once. */
export const AuthorizeBody = z.object({ code: z.string().trim().min(1).max(500) })
export const ConnectionResponse = z.object({ status: z.literal('success'), data: Connection })

/** `GET/POST /oauth/link`: `url` is shown once, to be sent to the owner of the Zoho account. */
export const ConsentLinkResponse = z.object({
  status: z.literal('success'),
  data: z.object({ expires_at: z.iso.datetime().nullable() }),
})
export const NewConsentLinkResponse = z.object({
  status: z.literal('success'),
  data: z.object({ url: z.url(), expires_at: z.iso.datetime() }),
})
/** `POST /oauth/link/follow`, by the holder of the link: returns the URL of Zoho's consent page. */
export const OpenConsentLinkBody = z.object({ token: z.string().min(20).max(100) })
export const OpenConsentLinkResponse = z.object({ status: z.literal('success'), data: z.object({ url: z.url() }) })

/** `GET /oauth/callback`, as Zoho's redirect fills it. */
export const CallbackQuery = z.object({
  code: z.string().max(500).optional(),
  state: z.string().max(200).optional(),
  error: z.string().max(200).optional(),
  location: z.string().max(50).optional(),
  'accounts-server': z.string().max(300).optional(),
})

/** `GET /organizations`: those of the account; `selected` is the one that zinc uses. */
export const OrganizationsResponse = z.object({
  status: z.literal('success'),
  data: z.array(Organization.extend({ selected: z.boolean() })),
})
export const OrganizationBody = z.object({ id: z.string().trim().min(1).max(50) })
export const OrganizationResponse = z.object({ status: z.literal('success'), data: Organization })

/** `GET /scopes`: `granted` is null until a sign-in or a test has shown it. */
export const ScopesResponse = z.object({
  status: z.literal('success'),
  data: z.object({
    modules: z.array(
      z.object({
        slug: z.string(),
        name: z.string(),
        enabled: z.boolean(),
        scopes: z.array(z.object({ scope: z.string(), reads: z.string(), granted: z.boolean().nullable() })),
      }),
    ),
    /** The scopes of the enabled modules, for Zoho's console. */
    line: z.string(),
    missing: z.array(z.string()),
    /** Where Zoho must redirect people to: registered with the client in Zoho's console. */
    redirect_uri: z.string(),
  }),
})
