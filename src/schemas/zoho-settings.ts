import { z } from 'zod'
import { Connection, DataCenter } from './connection.ts'
import { MessageParams } from './message.ts'

/**
 * The source of a value; what the environment (or Google's Secret Manager) sets cannot be changed
 * over HTTP: 409 `set_by_environment`.
 */
export const Source = z.enum(['environment', 'gcp', 'stored', 'none'])
export type Source = z.infer<typeof Source>

export const ModuleSlug = z.enum(['crm', 'books', 'inventory', 'invoice'])
export type ModuleSlug = z.infer<typeof ModuleSlug>

/**
 * What a module's syncs read, whether started by hand or by schedule. Null where it does not apply
 * to a module.
 */
export const ModuleSelection = z.object({
  /** Inventory: sync images, too. */
  sync_images: z.boolean().nullable(),
  /** Books and Invoice: only these modules; null: all that are in `offered`. */
  modules: z.array(z.string()).nullable(),
  /** Books and Invoice: the line items of documents, one call for each that is new or changed. */
  line_items: z.boolean().nullable(),
})
export type ModuleSelection = z.infer<typeof ModuleSelection>

export const ZohoModule = z.object({
  /** Zoho CRM | Zoho Books | Zoho Inventory | Zoho Invoice */
  name: z.string(),
  slug: ModuleSlug,
  enabled: z.boolean(),
  description: z.string(),
  /** A cron line of five fields in the shop's time zone for incremental syncs; null: off. */
  schedule: z.string().nullable(),
  /** The same for full syncs. */
  full_schedule: z.string().nullable(),
  /** The same for stock by location, which is also read after each full sync; Inventory only. */
  stock_schedule: z.string().nullable(),
  /** What the page suggests with one click. */
  suggested: z.object({ schedule: z.string(), full_schedule: z.string() }),
  /** When the last successful sync ended; null until a real one. */
  last_sync: z.iso.datetime().nullable(),
  last_run: z
    .object({
      id: z.uuid(),
      state: z.string(),
      mode: z.string().nullable(),
      started_at: z.iso.datetime().nullable(),
      finished_at: z.iso.datetime().nullable(),
      cause: z.string().nullable(),
      code: z.string().nullable(),
      failure_params: MessageParams.nullable(),
      /**
       * Rows that Zoho listed, failures (items and images), and calls made; null while it runs, or
       * where the kind does not count them.
       */
      listed: z.number().nullable(),
      failed: z.number().nullable(),
      calls: z.number().nullable(),
    })
    .nullable(),
  next_run: z.iso.datetime().nullable(),
  selection: ModuleSelection,
  /** What `selection.modules` may contain. */
  offered: z.array(z.string()),
  /**
   * The modified time up to which it is known: the next incremental sync reads what changed since.
   * Null: the next one reads everything.
   */
  cursor: z.iso.datetime().nullable(),
})
export type ZohoModule = z.infer<typeof ZohoModule>

/**
 * `GET /` and the response of `POST /`. Secrets only as `••••` and their last four characters;
 * null: not set.
 */
export const ZohoSettings = z.object({
  enabled: z.boolean(),
  organization_id: z.string().nullable(),
  data_center: DataCenter,
  client_id: z.string().nullable(),
  client_secret: z.string().nullable(),
  refresh_token: z.string().nullable(),
  webhook_secret: z.string().nullable(),
  sources: z.object({
    organization_id: Source,
    data_center: Source,
    client_id: Source,
    client_secret: Source,
    refresh_token: Source,
    webhook_secret: Source,
  }),
  /** When each stored value was last changed. */
  changed_at: z.record(z.string(), z.iso.datetime()),
  /** Name, currency and time zone of the organization, once Zoho has sent them. */
  organization: z.object({ name: z.string().nullable(), currency: z.string().nullable(), time_zone: z.string().nullable() }).nullable(),
  /** True when ZOHO_ACCOUNTS_URL or ZOHO_API_URL overrides the data center's hosts. */
  hosts_overridden: z.boolean(),
  connection: Connection,
  modules: z.array(ZohoModule),
})
export type ZohoSettings = z.infer<typeof ZohoSettings>
export const ZohoSettingsResponse = z.object({ status: z.literal('success'), data: ZohoSettings })

const value = (max: number) => z.string().trim().min(1).max(max).nullable()
/** `POST /`: any subset. null deletes a stored value; a masked secret sent back changes nothing. */
export const ZohoSettingsBody = z
  .object({
    enabled: z.boolean(),
    organization_id: value(50),
    data_center: DataCenter,
    client_id: value(200),
    client_secret: value(500),
    refresh_token: value(500),
    /** Write-only: signs Zoho's item webhooks. */
    webhook_secret: value(200),
    /** Each by slug or name; other keys of an entry are ignored. */
    modules: z.array(
      z.object({
        slug: z.string().optional(),
        name: z.string().optional(),
        enabled: z.boolean().optional(),
        schedule: z.string().trim().max(100).nullable().optional(),
        full_schedule: z.string().trim().max(100).nullable().optional(),
        stock_schedule: z.string().trim().max(100).nullable().optional(),
      }),
    ),
  })
  .partial()
export type ZohoSettingsBody = z.infer<typeof ZohoSettingsBody>

/** `GET /modules` */
export const ZohoModulesResponse = z.object({ status: z.literal('success'), data: z.array(ZohoModule) })
/** `PATCH /modules/{module}`: by name or slug. */
export const ZohoModuleBody = z
  .object({
    enabled: z.boolean(),
    schedule: z.string().trim().max(100).nullable(),
    full_schedule: z.string().trim().max(100).nullable(),
    stock_schedule: z.string().trim().max(100).nullable(),
    selection: ModuleSelection.partial(),
  })
  .partial()
export const ZohoModuleResponse = z.object({ status: z.literal('success'), data: ZohoModule })

/**
 * `PUT /modules/{module}/cursor`: back to a time, or with null to the beginning. Nothing is
 * deleted; equal records are not written again.
 */
export const ModuleCursorBody = z.object({ up_to: z.iso.datetime({ offset: true }).nullable() })

/** What Zoho Inventory has beside items; each can be read alone. */
export const SyncPart = z.enum(['stock', 'groups', 'price_lists'])
export type SyncPart = z.infer<typeof SyncPart>

/** `POST /modules/{module}/sync` */
export const ModuleSyncQuery = z.object({
  mode: z.enum(['incremental', 'full']).optional(),
  /** Only this, of Zoho Inventory; after a full sync it is read anyway. */
  only: SyncPart.optional(),
  wait: z.stringbool().default(true),
})

/** `GET /schedule/preview` */
export const SchedulePreviewQuery = z.object({ cron: z.string().min(1).max(100), count: z.coerce.number().int().min(1).max(20).default(3) })
export const SchedulePreviewResponse = z.object({
  status: z.literal('success'),
  data: z.object({
    cron: z.string(),
    time_zone: z.string(),
    /** `local` is the shop's wall clock, for example 2026-11-25 09:15. */
    next: z.array(z.object({ at: z.iso.datetime(), local: z.string() })),
  }),
})
