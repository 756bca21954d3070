import type { Database } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'

const ID = 'zoho'
const SHOWN_ITEMS = 5
/** Unsigned requests can come from anyone: they are counted, but do not write a row each. */
const NOTED_EVERY_MS = 5_000

export interface WebhookEvents {
  accepted: number
  accepted_at: Date | null
  accepted_items: string[]
  refused: number
  refused_at: Date | null
}

/** Counts a webhook with a valid signature; one without items was a test. */
export async function noteAccepted({ db, clock }: { db: Database; clock: Clock }, items: string[]): Promise<void> {
  const data = { accepted_at: clock.now(), accepted_items: items.slice(0, SHOWN_ITEMS) }
  await db.webhookState.upsert({
    where: { id: ID },
    create: { id: ID, ...data, accepted: 1 },
    update: { ...data, accepted: { increment: 1 } },
  })
}

/** Counts a webhook that is not signed with the configured secret. */
export async function noteRefused({ db, clock }: { db: Database; clock: Clock }): Promise<void> {
  const now = clock.now()
  await db.$executeRaw`
    insert into webhook_state as w (id, refused_at, refused) values (${ID}, ${now}, 1)
    on conflict (id) do update set refused_at = excluded.refused_at, refused = w.refused + 1
    where w.refused_at is null or w.refused_at < ${new Date(now.getTime() - NOTED_EVERY_MS)}`
}

export async function readWebhookEvents(db: Database): Promise<WebhookEvents> {
  const row = await db.webhookState.findUnique({ where: { id: ID } })
  if (!row) return { accepted: 0, accepted_at: null, accepted_items: [], refused: 0, refused_at: null }
  return { ...row, accepted: Number(row.accepted), refused: Number(row.refused) }
}
