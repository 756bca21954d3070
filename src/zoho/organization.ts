import { z } from 'zod'
import type { ZohoClient } from './client.ts'
import { Id, Text } from './wire.ts'

const Organization = z.looseObject({ organization_id: Id, name: Text, currency_code: Text, time_zone: Text })

export interface Organization {
  id: string
  name: string | null
  currency: string | null
  timeZone: string | null
}

/** The organisation with its currency and time zone; null when the account does not have it. Zoho does not count this call against the organisation. */
export async function readOrganization(client: ZohoClient, id: string, signal: AbortSignal): Promise<Organization | null> {
  const { body } = await client.json({ path: '/inventory/v1/organizations', job: 'organization' }, signal)
  const all = z.array(Organization).catch([]).parse(body.organizations)
  const mine = all.find((it) => it.organization_id === id)
  return mine ? { id, name: mine.name, currency: mine.currency_code, timeZone: mine.time_zone } : null
}
