import type { Config } from '../config.ts'
import type { Database } from '../database/client.ts'
import type { Clock } from '../lib/clock.ts'
import { AppError, zohoCodeOf } from '../lib/errors.ts'
import { around, inEnglish, type MessageKey, messageAs, type Said, say } from '../messages/say.ts'
import type { Check, TestResult } from '../schemas/connection.ts'
import { enabledModules, MODULES } from '../settings/modules.ts'
import type { ZohoClient } from '../zoho/client.ts'
import { INVALID_MODULE } from '../zoho/crm-fields.ts'
import { itemImage } from '../zoho/inventory.ts'
import type { ConnectionStateStore } from './connection-state.ts'
import { createOAuthClient, credentialsOf, type DataCenterEndpoints, type OpenZohoDeps } from './create-client.ts'
import { findDataCenter, RETRY_IN_OTHER_DATA_CENTER, wrongDataCenter } from './detect-data-center.ts'
import type { Organizations } from './organizations.ts'
import { SCOPES, type Scope } from './scopes.ts'

/** With a larger difference, "modified since" would be computed from a wrong now. */
const MAX_CLOCK_DIFFERENCE_MS = 60_000

export interface TestDeps extends Omit<OpenZohoDeps, 'settings' | 'connection' | 'regions'> {
  connection: ConnectionStateStore
  organizations: Organizations
  dataCenters: DataCenterEndpoints
}

interface Tried extends Check {
  /** The response of the read, for the checks after it. */
  body?: Record<string, unknown>
}

/**
 * Signs in, reads the organization and makes one small read for each scope of each enabled module.
 * Returns the list of checks; throws only when the sign-in itself fails, with Zoho's code
 * (`wrong_data_center` when another data center knows the credentials).
 */
export async function testConnection(settings: Config['zoho'], deps: TestDeps, signal: AbortSignal): Promise<TestResult> {
  const { db, clock, connection, organizations } = deps
  const { check: signedIn, freshToken } = await signInCheck(settings, deps, signal)
  const { client, endpoints } = createOAuthClient({ ...deps, settings })
  const checks: Check[] = [signedIn]
  const run = (name: string, work: Work) => check(name, work, signal)

  let organization: TestResult['organization'] = null
  let zohoTime: Date | null = null
  let askedAt = clock.now()
  const organizationCheck = await run('organization', async () => {
    askedAt = clock.now()
    const response = await organizations.list(client, signal, { freshToken })
    zohoTime = response.at
    const requested = settings.organizationId
    const mine = response.organizations.find((it) => it.id === requested)
    if (!requested) throw new Problem('organization_not_set')
    if (!mine) throw new Problem('unknown_organization.other', { organization: requested })
    organization = { id: mine.id, name: mine.name, currency: mine.currency, time_zone: mine.timeZone }
    return [mine.name, mine.currency, mine.timeZone].filter(Boolean).join(', ')
  })
  checks.push(organizationCheck)

  const enabled = await enabledModules(db)
  let items: Record<string, unknown> | undefined
  for (const { slug, name } of MODULES) {
    if (!enabled.get(slug)) continue
    for (const scope of SCOPES[slug]) {
      const tried = await scopeCheck(scope, { client, organizationCheck, freshToken, signal })
      if (scope.scope === 'ZohoInventory.items.READ') items = tried.body
      const { body: _body, ...shown } = tried
      checks.push({ ...shown, module: name })
    }
    if (slug === 'inventory') checks.push(await itemCheck(items, signal), await imageCheck(items, client, signal))
  }
  checks.push(await quotaCheck(db, { settings, clock, signal }), await clockCheck(zohoTime, askedAt, signal))

  const scopes = Object.fromEntries(
    checks.flatMap((it) => (it.scope !== undefined && (it.ok || it.code === SCOPE_MISSING) ? [[it.scope, it.ok] as const] : [])),
  )
  const wrong = checks.find((it) => !it.ok)
  await connection.tested(scopes, wrong ? around(saidOf(wrong), 'around.about', { about: wrong.name }) : null)
  return { ok: wrong === undefined, organization, api_domain: endpoints.apiUrl, checks }
}

const SCOPE_MISSING = 'scope_missing'

const saidOf = ({ code = 'failed', message = '', remedy, params = {} }: Check): Said => ({ code, message, remedy, params })

/** A check that found a problem without a failed call. */
class Problem<K extends MessageKey> extends AppError<K> {}

async function signInCheck(settings: Config['zoho'], deps: TestDeps, signal: AbortSignal): Promise<{ check: Check; freshToken: boolean }> {
  const { connection, dataCenters, clock, dispatcher } = deps
  const began = performance.now()
  try {
    const { notUntil } = await createOAuthClient({ ...deps, settings }).tokens.renew()
    const ms = since(began)
    if (notUntil === null) return { check: { name: 'sign_in', ok: true, ms }, freshToken: true }
    const { message, params } = say('check.not_signed_in_again', { until: notUntil.toISOString() })
    return { check: { name: 'sign_in', ok: true, ms, message, params }, freshToken: false }
  } catch (error) {
    let reported = error
    const set = settings.dataCenter ?? 'com'
    const overridden = settings.accountsUrl !== undefined || settings.apiUrl !== undefined
    if (error instanceof AppError && RETRY_IN_OTHER_DATA_CENTER.has(error.code) && !overridden) {
      const found = await findDataCenter({ credentials: credentialsOf(settings), dataCenters, except: set }, { clock, dispatcher, signal })
      if (found) reported = wrongDataCenter(found, set, dataCenters)
    }
    await connection.failed(reported)
    throw reported
  }
}

/** What a check says on success: a message, or a name or text of Zoho's. */
type Work = () => Promise<Said | string | undefined>

async function check(name: string, work: Work, signal: AbortSignal): Promise<Check> {
  const began = performance.now()
  try {
    const message = await work()
    const ms = since(began)
    if (typeof message === 'object') return { name, ok: true, ms, message: message.message, params: message.params }
    return { name, ok: true, ms, ...(message !== undefined && { message }) }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof AppError)) throw error
    return failedCheck(name, error, since(began))
  }
}

export function failedCheck(name: string, error: AppError, ms: number): Check {
  const zoho_code = zohoCodeOf(error)
  return {
    name,
    ok: false,
    ms,
    code: error.code,
    ...(zoho_code !== undefined && { zoho_code }),
    message: error.message,
    ...(error.remedy !== undefined && { remedy: error.remedy }),
    params: error.params,
  }
}

async function scopeCheck(
  { scope, reads, probe }: Scope,
  {
    client,
    organizationCheck,
    freshToken,
    signal,
  }: { client: ZohoClient; organizationCheck: Check; freshToken: boolean; signal: AbortSignal },
): Promise<Tried> {
  let body: Record<string, unknown> | undefined
  const tried = await check(
    scope,
    async () => {
      if (probe.organization !== false && !organizationCheck.ok) {
        throw new Problem(inEnglish(messageAs(organizationCheck.code ?? 'organization', 'organization_untried')))
      }
      try {
        const response = await client.json({ ...probe, job: 'test', freshToken }, signal)
        body = response.body
      } catch (error) {
        if (!(error instanceof AppError) || zohoCodeOf(error) !== INVALID_MODULE) throw error
        return say('check.module_hidden')
      }
      return reads
    },
    signal,
  )
  if (!tried.ok && tried.code === SCOPE_MISSING) {
    const { message, remedy, params } = say('scope_missing.scope', { scope, reads })
    Object.assign(tried, { message, remedy, params })
  }
  return { ...tried, scope, ...(body && { body }) }
}

const rowsOf = (items: Record<string, unknown> | undefined): Record<string, unknown>[] =>
  Array.isArray(items?.items) ? (items.items as Record<string, unknown>[]) : []

function itemCheck(items: Record<string, unknown> | undefined, signal: AbortSignal): Promise<Check> {
  return check(
    'item',
    async () => {
      if (!items) throw new Problem('untested.items')
      const [item] = rowsOf(items)
      return item ? `${String(item.sku ?? '')} ${String(item.name ?? '')}`.trim().slice(0, 200) : say('check.no_items')
    },
    signal,
  )
}

function imageCheck(items: Record<string, unknown> | undefined, client: ZohoClient, signal: AbortSignal): Promise<Check> {
  return check(
    'picture',
    async () => {
      if (!items) throw new Problem('untested.items')
      const item = rowsOf(items).find((it) => it.image_document_id !== '' && it.image_document_id !== undefined)
      if (!item) return say('check.no_image')
      const { body, done } = await itemImage(client, { itemId: String(item.item_id) }, signal)
      let bytes = 0
      try {
        for await (const chunk of body) bytes += (chunk as Buffer).length
      } finally {
        await done()
      }
      return say('check.bytes', { bytes })
    },
    signal,
  )
}

function quotaCheck(
  db: Database,
  { settings, clock, signal }: { settings: Config['zoho']; clock: Clock; signal: AbortSignal },
): Promise<Check> {
  return check(
    'quota',
    async () => {
      const rateLimiter = await db.zohoRateLimit.findUnique({ where: { organization: settings.organizationId ?? 'none' } })
      const now = clock.now()
      if (rateLimiter?.day_left === null || !rateLimiter?.day_resets_at || rateLimiter.day_resets_at <= now)
        return say('check.quota_not_told')
      if (rateLimiter.day_left === 0) {
        throw new Problem('daily_quota_exceeded.test', { resets_at: rateLimiter.day_resets_at.toISOString() })
      }
      return say('check.calls_left', {
        left: rateLimiter.day_left,
        limit: rateLimiter.day_limit,
        until: rateLimiter.day_resets_at.toISOString(),
      })
    },
    signal,
  )
}

function clockCheck(zohoTime: Date | null, askedAt: Date, signal: AbortSignal): Promise<Check> {
  return check(
    'clock',
    async () => {
      if (!zohoTime) return say('check.no_time')
      const differenceMs = askedAt.getTime() - zohoTime.getTime()
      const seconds = Math.round(differenceMs / 1000)
      if (Math.abs(differenceMs) > MAX_CLOCK_DIFFERENCE_MS) {
        throw new Problem('clock_wrong', { seconds })
      }
      return say('check.clock', { seconds })
    },
    signal,
  )
}

const since = (began: number): number => Math.round(performance.now() - began)
