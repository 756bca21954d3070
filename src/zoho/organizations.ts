import { z } from 'zod'
import type { ZohoClient } from './client.ts'
import { Id, Text } from './value-types.ts'

const Organization = z.looseObject({ organization_id: Id, name: Text, currency_code: Text, time_zone: Text })

export interface Organization {
  id: string
  name: string | null
  currency: string | null
  timeZone: string | null
}

/**
 * Returns every organization of the account, with currency and time zone. Needs no organization,
 * and Zoho does not count the call against one.
 */
export async function listOrganizations(
  client: ZohoClient,
  signal: AbortSignal,
  { freshToken = false } = {},
): Promise<{ organizations: Organization[]; at: Date | null }> {
  const { body, at } = await client.json(
    { path: '/inventory/v1/organizations', job: 'organization', organization: false, freshToken },
    signal,
  )
  const rows = z.array(Organization).catch([]).parse(body.organizations)
  return {
    at,
    organizations: rows.map((it) => ({ id: it.organization_id, name: it.name, currency: it.currency_code, timeZone: it.time_zone })),
  }
}

/** Returns one organization; null when the account does not have it. */
export async function readOrganization(client: ZohoClient, id: string, signal: AbortSignal): Promise<Organization | null> {
  const { organizations } = await listOrganizations(client, signal)
  return organizations.find((it) => it.id === id) ?? null
}
