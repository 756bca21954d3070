import type { Config } from '../config.ts'
import type { Database, Db } from '../database/client.ts'
import type { DataCenter } from '../facts/data-centers.ts'
import type { Clock } from '../lib/clock.ts'
import { type AppError, BadGatewayError, ConflictError } from '../lib/errors.ts'
import { type Actor, recordAudit } from './audit-log.ts'
import type { GcpSecrets, GcpValues } from './gcp-secret-manager.ts'
import { isMasked, mask } from './mask.ts'
import type { SettingStore, StoredSetting } from './setting-store.ts'

export const CREDENTIALS = ['client_id', 'client_secret', 'refresh_token', 'organization_id'] as const
export const FIELDS = [...CREDENTIALS, 'data_center', 'webhook_secret'] as const
export type Field = (typeof FIELDS)[number]
export type Source = 'environment' | 'gcp' | 'stored' | 'none'

/** The defaults. */
const DEFAULTS: Partial<Record<Field, string>> = { data_center: 'com' }
const SECRET: ReadonlySet<string> = new Set(['client_secret', 'refresh_token', 'webhook_secret'])
const GCP: ReadonlySet<string> = new Set(['client_id', 'client_secret', 'refresh_token'])
/** A change of these begins a new connection; what was known of the old one is obsolete. */
const CONNECTS: ReadonlySet<string> = new Set([...CREDENTIALS, 'data_center'])

export interface EffectiveSettings {
  enabled: boolean
  values: Record<Field, string | null>
  sources: Record<Field, Source>
  /** When each stored value was last changed. */
  changedAt: Map<string, Date>
  /**
   * Why values may be missing although they are set: Google does not answer, or a key is missing.
   */
  problem: AppError | null
}

export type SettingsChange = Partial<Record<Field, string | null | undefined>> & { enabled?: boolean | undefined }

export interface ZohoSettingsDeps {
  db: Database
  clock: Clock
  stored: SettingStore
  environment: Config['zoho']
  /** Undefined with SECRETS_PROVIDER=env. */
  gcp: GcpSecrets | undefined
  /** In the transaction of a change that begins a new connection. */
  onNewConnection(tx: Db): Promise<void>
}

export type ZohoSettings = ReturnType<typeof createZohoSettings>

/**
 * The Zoho settings in force: the environment takes precedence over Google's Secret Manager, which
 * takes precedence over what an operator stored.
 */
export function createZohoSettings({ db, clock, stored, environment, gcp, onNewConnection }: ZohoSettingsDeps) {
  const fixed: Record<Field, string | undefined> = {
    client_id: environment.clientId,
    client_secret: environment.clientSecret,
    refresh_token: environment.refreshToken,
    organization_id: environment.organizationId,
    data_center: environment.dataCenter,
    webhook_secret: undefined,
  }

  /** Where the environment has them all, an outage of Google has no effect. */
  const asked = gcp !== undefined && [...GCP].some((field) => fixed[field as Field] === undefined) ? gcp : undefined
  interface Google {
    values: GcpValues
    problem: AppError | null
  }

  async function fromGcp(): Promise<Google> {
    try {
      return { values: (await asked?.read()) ?? {}, problem: null }
    } catch (error) {
      if (error instanceof BadGatewayError) return { values: {}, problem: error }
      throw error
    }
  }

  async function combined(google: Google, from: Db): Promise<EffectiveSettings> {
    const rows = await stored.read('zoho.', from)
    const values = {} as Record<Field, string | null>
    const sources = {} as Record<Field, Source>
    for (const field of FIELDS) {
      const [value, source] = resolve(field, google.values, rows)
      values[field] = value
      sources[field] = source
    }
    const unreadable = [...rows].filter(([, row]) => row.value === null).map(([name]) => name)
    return {
      enabled: rows.get('enabled')?.value !== 'false',
      values,
      sources,
      changedAt: new Map([...rows].map(([name, row]) => [name, row.changedAt])),
      problem: google.problem ?? (unreadable.length > 0 ? keyMissing(unreadable) : null),
    }
  }

  function resolve(field: Field, google: GcpValues, rows: Map<string, StoredSetting>): [string | null, Source] {
    if (fixed[field] !== undefined) return [fixed[field], 'environment']
    const secret = GCP.has(field) ? google[field as keyof GcpValues] : undefined
    if (secret !== undefined) return [secret, 'gcp']
    const row = rows.get(field)
    return row ? [row.value, 'stored'] : [null, 'none']
  }

  const effective = async (): Promise<EffectiveSettings> => combined(await fromGcp(), db)

  return {
    effective,

    /**
     * Returns the settings for Zoho's client; throws the problem when values that are set cannot be
     * read.
     */
    async forClient(): Promise<Config['zoho'] & { enabled: boolean }> {
      const { values, problem, enabled } = await effective()
      if (problem) throw problem
      return {
        ...environment,
        enabled,
        clientId: values.client_id ?? undefined,
        clientSecret: values.client_secret ?? undefined,
        refreshToken: values.refresh_token ?? undefined,
        organizationId: values.organization_id ?? undefined,
        dataCenter: (values.data_center as DataCenter | null) ?? undefined,
      }
    },

    /** Zoho refused the credentials: the cached ones from Google may be old. */
    refreshSecrets: () => gcp?.forget(),

    /**
     * Throws ConflictError `set_by_environment` when one of these fields cannot be changed here.
     */
    async assertChangeable(fields: Field[]): Promise<void> {
      const { sources } = await effective()
      for (const field of fields) assertChangeable(field, sources[field])
    },

    /**
     * Changes any subset in one transaction, with one audit entry. null deletes a stored value; a
     * mask or an equal value changes nothing. `also` belongs to the same change and returns the
     * names of what it changed. `dryRun`: everything is undone. Returns the names of all changed
     * fields. Throws ConflictError `set_by_environment`.
     */
    async change(
      change: SettingsChange,
      actor: Actor,
      { also, dryRun = false }: { also?: (tx: Db) => Promise<string[]>; dryRun?: boolean } = {},
    ): Promise<string[]> {
      const google = await fromGcp()
      const undone = new Error('a dry run')
      let changed: string[] = []
      await db
        .$transaction(async (tx) => {
          changed = await apply(tx, await combined(google, tx), { change, actor, also })
          if (dryRun) throw undone
        })
        .catch((error: unknown) => {
          if (error !== undone) throw error
        })
      return changed
    },
  }

  async function apply(
    tx: Db,
    { values, sources, enabled }: EffectiveSettings,
    { change, actor, also }: { change: SettingsChange; actor: Actor; also: ((tx: Db) => Promise<string[]>) | undefined },
  ): Promise<string[]> {
    const at = clock.now()
    const changed: string[] = []
    for (const field of FIELDS) {
      const requested = change[field]
      if (
        requested === undefined ||
        (requested !== null && isMasked(requested)) ||
        requested === (values[field] ?? DEFAULTS[field] ?? null)
      )
        continue
      assertChangeable(field, sources[field])
      if (requested === null) await stored.remove(tx, `zoho.${field}`)
      else await stored.write(tx, `zoho.${field}`, requested, { encrypted: SECRET.has(field), by: actor.actor, at })
      changed.push(field)
    }
    if (change.enabled !== undefined && change.enabled !== enabled) {
      await stored.write(tx, 'zoho.enabled', String(change.enabled), { encrypted: false, by: actor.actor, at })
      changed.push('enabled')
    }
    changed.push(...((await also?.(tx)) ?? []))
    if (changed.length > 0) await recordAudit(tx, { ...actor, action: 'settings.change', target: 'zoho', fields: changed })
    if (changed.some((field) => CONNECTS.has(field))) await onNewConnection(tx)
    return changed
  }
}

/** Returns what may be shown of a value. */
export const shown = (field: Field, value: string | null): string | null => (SECRET.has(field) ? mask(value) : value)

function assertChangeable(field: Field, source: Source): void {
  if (source !== 'environment' && source !== 'gcp') return
  const facts = { field, source, variable: `ZOHO_${field.toUpperCase()}` }
  throw new ConflictError(source === 'gcp' ? 'set_by_environment.gcp' : 'set_by_environment', facts)
}

const keyMissing = (names: string[]) => new BadGatewayError('decryption_key_missing', { fields: names })
