import type { Database, Db } from '../database/client.ts'
import type { ZohoClient } from '../zoho/client.ts'
import { listOrganizations, type Organization, readOrganization } from '../zoho/organizations.ts'

/** Returns what is known of an organization without calling Zoho. */
export async function knownOrganization(db: Db, id: string | null): Promise<Organization | null> {
  const row = id === null ? null : await db.zohoOrganization.findUnique({ where: { id } })
  return row && { id: row.id, name: row.name, currency: row.currency, timeZone: row.time_zone }
}

async function keep(tx: Db, organizations: Organization[]): Promise<void> {
  for (const { id, name, currency, timeZone } of organizations) {
    const data = { name, currency, time_zone: timeZone }
    await tx.zohoOrganization.upsert({ where: { id }, create: { id, ...data }, update: data })
  }
}

export type Organizations = ReturnType<typeof createOrganizations>

/**
 * The organizations of the account as Zoho reports them; they are stored, since schedules need the
 * time zone without a call.
 */
export function createOrganizations({ db, onZone }: { db: Database; onZone(tx: Db, id: string, zone: string | null): Promise<void> }) {
  async function note(organizations: Organization[]): Promise<void> {
    await db.$transaction(async (tx) => {
      await keep(tx, organizations)
      for (const { id, timeZone } of organizations) await onZone(tx, id, timeZone)
    })
  }
  return {
    async list(
      client: ZohoClient,
      signal: AbortSignal,
      { freshToken = false } = {},
    ): Promise<{ organizations: Organization[]; at: Date | null }> {
      const response = await listOrganizations(client, signal, { freshToken })
      await note(response.organizations)
      return response
    },
    /** Null when the account does not have it. */
    async read(client: ZohoClient, id: string, signal: AbortSignal): Promise<Organization | null> {
      const organization = await readOrganization(client, id, signal)
      if (organization) await note([organization])
      return organization
    },
  }
}
