import type { Config } from '../config.ts'
import type { Database } from '../database/client.ts'
import type { Clock } from '../lib/clock.ts'
import { AppError, zohoCodeOf } from '../lib/errors.ts'
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

/** Further apart and "modified since" would be asked with a wrong now. */
const MAX_CLOCK_DIFFERENCE_MS = 60_000

export interface TestDeps extends Omit<OpenZohoDeps, 'settings' | 'connection' | 'regions'> {
  connection: ConnectionStateStore
  organizations: Organizations
  dataCenters: DataCenterEndpoints
}

interface Tried extends Check {
  /** What the read answered, for the checks after it. */
  body?: Record<string, unknown>
}

/**
 * Signs in, reads the organisation and makes one small read for each scope of each enabled module. Answers the check list; throws only when the
 * sign-in itself fails, with Zoho's code (`wrong_data_center` when another data centre knows the credentials).
 */
export async function testConnection(settings: Config['zoho'], deps: TestDeps, signal: AbortSignal): Promise<TestResult> {
  const { db, clock, connection, organizations } = deps
  const { check: signedIn, freshToken } = await signInCheck(settings, deps, signal)
  const { client, endpoints } = createOAuthClient({ ...deps, settings })
  const checks: Check[] = [signedIn]
  const run = (name: string, work: () => Promise<string | undefined>) => check(name, work, signal)

  let organization: TestResult['organization'] = null
  let zohoTime: Date | null = null
  let askedAt = clock.now()
  const organizationCheck = await run('organization', async () => {
    askedAt = clock.now()
    const response = await organizations.list(client, signal, { freshToken })
    zohoTime = response.at
    const requested = settings.organizationId
    const mine = response.organizations.find((it) => it.id === requested)
    if (!requested) throw new Problem('organization_not_set', 'No organisation is chosen', CHOOSE)
    if (!mine) throw new Problem('unknown_organization', `The account does not belong to the organisation ${requested}`, CHOOSE)
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
  await connection.tested(
    scopes,
    wrong ? { code: wrong.code ?? 'failed', message: `${wrong.name}: ${wrong.message ?? ''}`, remedy: wrong.remedy } : null,
  )
  return { ok: wrong === undefined, organization, api_domain: endpoints.apiUrl, checks }
}

const SCOPE_MISSING = 'scope_missing'
const CHOOSE =
  'Choose one of GET /api/settings/integrations/zoho/organizations (PUT /organization), or check ZOHO_ORGANIZATION_ID; Zoho shows it under Settings → Organization Profile.'

/** A check that found something wrong, where no call failed. */
class Problem extends AppError {
  constructor(code: string, message: string, remedy: string) {
    super(code, message, { remedy })
  }
}

async function signInCheck(settings: Config['zoho'], deps: TestDeps, signal: AbortSignal): Promise<{ check: Check; freshToken: boolean }> {
  const { connection, dataCenters, clock, dispatcher } = deps
  const began = performance.now()
  try {
    const { notUntil } = await createOAuthClient({ ...deps, settings }).tokens.renew()
    const message =
      notUntil === null
        ? undefined
        : `Not signed in again: Zoho gives ten tokens in ten minutes. The calls use the token that zinc has; test again after ${notUntil.toISOString()}.`
    return { check: { name: 'sign_in', ok: true, ms: since(began), ...(message && { message }) }, freshToken: notUntil === null }
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

async function check(name: string, work: () => Promise<string | undefined>, signal: AbortSignal): Promise<Check> {
  const began = performance.now()
  try {
    const message = await work()
    return { name, ok: true, ms: since(began), ...(message !== undefined && { message }) }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof AppError)) throw error
    const remedy = typeof error.detail?.remedy === 'string' ? error.detail.remedy : undefined
    const zoho_code = zohoCodeOf(error)
    return {
      name,
      ok: false,
      ms: since(began),
      code: error.code,
      ...(zoho_code !== undefined && { zoho_code }),
      message: error.message,
      ...(remedy !== undefined && { remedy }),
    }
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
        throw new Problem(organizationCheck.code ?? 'organization', 'Not tried: the organisation is not the right one', CHOOSE)
      }
      try {
        const response = await client.json({ ...probe, job: 'test', freshToken }, signal)
        body = response.body
      } catch (error) {
        if (!(error instanceof AppError) || zohoCodeOf(error) !== INVALID_MODULE) throw error
        return 'Zoho CRM has no such module: it is hidden or has another name there. Syncs leave it out.'
      }
      return reads
    },
    signal,
  )
  if (!tried.ok && tried.code === SCOPE_MISSING) {
    tried.message = `The scope ${scope} is missing, or the Zoho user may not read this: ${reads}`
    tried.remedy = `Connect to Zoho again with ${scope} among the scopes (GET /api/settings/integrations/zoho/scopes has the whole line), or switch the module off.`
  }
  return { ...tried, scope, ...(body && { body }) }
}

const rowsOf = (items: Record<string, unknown> | undefined): Record<string, unknown>[] =>
  Array.isArray(items?.items) ? (items.items as Record<string, unknown>[]) : []

function itemCheck(items: Record<string, unknown> | undefined, signal: AbortSignal): Promise<Check> {
  return check(
    'item',
    async () => {
      if (!items)
        throw new Problem('untested', 'Not tried: the items could not be read', 'Mend the check of ZohoInventory.items.READ first.')
      const [item] = rowsOf(items)
      return item ? `${String(item.sku ?? '')} ${String(item.name ?? '')}`.trim().slice(0, 200) : 'The organisation has no items yet'
    },
    signal,
  )
}

function imageCheck(items: Record<string, unknown> | undefined, client: ZohoClient, signal: AbortSignal): Promise<Check> {
  return check(
    'picture',
    async () => {
      if (!items)
        throw new Problem('untested', 'Not tried: the items could not be read', 'Mend the check of ZohoInventory.items.READ first.')
      const item = rowsOf(items).find((it) => it.image_document_id !== '' && it.image_document_id !== undefined)
      if (!item) return 'None of the items that were looked at has a picture'
      const { body, done } = await itemImage(client, { itemId: String(item.item_id) }, signal)
      let bytes = 0
      try {
        for await (const chunk of body) bytes += (chunk as Buffer).length
      } finally {
        await done()
      }
      return `${bytes} bytes`
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
        return 'Zoho has not told the quota of this day yet'
      if (rateLimiter.day_left === 0) {
        throw new Problem(
          'daily_quota_exceeded',
          "The day's calls are spent",
          `Zoho gives new ones at ${rateLimiter.day_resets_at.toISOString()}; zinc goes on by itself.`,
        )
      }
      return `${rateLimiter.day_left} of ${rateLimiter.day_limit} calls are left until ${rateLimiter.day_resets_at.toISOString()}`
    },
    signal,
  )
}

function clockCheck(zohoTime: Date | null, askedAt: Date, signal: AbortSignal): Promise<Check> {
  return check(
    'clock',
    async () => {
      if (!zohoTime) return 'Zoho told no time'
      const differenceMs = askedAt.getTime() - zohoTime.getTime()
      const seconds = Math.round(differenceMs / 1000)
      if (Math.abs(differenceMs) > MAX_CLOCK_DIFFERENCE_MS) {
        throw new Problem(
          'clock_wrong',
          `The clock of the database's machine differs from Zoho's by ${seconds} s`,
          'Let that machine set its clock by NTP; zinc goes by it.',
        )
      }
      return `differs from Zoho's by ${seconds} s`
    },
    signal,
  )
}

const since = (began: number): number => Math.round(performance.now() - began)
