import { createShopTime } from '../lib/shop-time.ts'
import { Connection, DataCenter } from '../schemas/connection.ts'
import type { ZohoSettings } from '../schemas/zoho-settings.ts'
import { shown } from '../settings/zoho-settings.ts'
import type { ConnectionContext } from './connection.ts'

/**
 * Returns the settings with secrets masked and the state of the connection to Zoho: for the page,
 * scripts and the command line.
 */
export async function maskSettings({
  settings,
  connection,
  knownOrganization,
  hostsOverridden,
}: ConnectionContext): Promise<Omit<ZohoSettings, 'modules'>> {
  const effective = await settings.effective()
  const organization = await knownOrganization()
  const { values, sources, enabled, changedAt } = effective
  const { since, until, ...stands } = await connection.read(effective)
  return {
    enabled,
    organization_id: values.organization_id,
    data_center: DataCenter.parse(values.data_center ?? 'com'),
    client_id: values.client_id,
    client_secret: shown('client_secret', values.client_secret),
    refresh_token: shown('refresh_token', values.refresh_token),
    webhook_secret: shown('webhook_secret', values.webhook_secret),
    sources,
    changed_at: Object.fromEntries([...changedAt].map(([field, at]) => [field, at.toISOString()])),
    organization: organization && { name: organization.name, currency: organization.currency, time_zone: organization.timeZone },
    hosts_overridden: hostsOverridden,
    connection: Connection.parse({ ...stands, since: since?.toISOString() ?? null, until: until?.toISOString() ?? null }),
  }
}

/** Returns the same as lines for people. */
export function settingsLines(it: Omit<ZohoSettings, 'modules'>): string[] {
  const source = (field: keyof typeof it.sources) => (it.sources[field] === 'none' ? 'not set' : it.sources[field])
  const line = (name: string, value: string | null, from: string) => `${name.padEnd(16)} ${(value ?? '–').padEnd(34)} ${from}`
  const shopTime = createShopTime(it.organization?.time_zone)
  return [
    line('client_id', it.client_id, source('client_id')),
    line('client_secret', it.client_secret, source('client_secret')),
    line('refresh_token', it.refresh_token, source('refresh_token')),
    line('organization_id', it.organization_id, source('organization_id')),
    line('data_center', it.data_center, it.sources.data_center === 'none' ? 'default' : it.sources.data_center),
    ...(it.organization?.name
      ? [line('organization', it.organization.name, [it.organization.currency, it.organization.time_zone].join(' '))]
      : []),
    line('connection', it.connection.state, it.connection.since === null ? '' : `since ${shopTime(it.connection.since)}`),
    ...(it.connection.cause === null ? [] : [`  ${it.connection.cause}`]),
    ...(it.connection.remedy === null ? [] : [`  ${it.connection.remedy}`]),
  ]
}
