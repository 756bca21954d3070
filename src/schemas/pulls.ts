import { z } from 'zod'
import { BOOKS_MODULE_NAMES } from '../facts/books-modules.ts'
import { Message, MessageParams } from './message.ts'

export const PULL_APPS = ['books', 'invoice'] as const
export const PULL_MODULES = BOOKS_MODULE_NAMES
export const PullModule = z.enum(PULL_MODULES)
export type PullModule = z.infer<typeof PullModule>

/** Body of `POST /api/pulls/`; also the parameters of runs of the kind `pull`. */
export const PullRequest = z.object({
  app: z.enum(PULL_APPS).default('books'),
  /** Absent or `all`: every module of the app. */
  modules: z
    .union([z.array(PullModule).min(1).max(PULL_MODULES.length), z.literal('all')], {
      error: `must be "all" or a list of: ${PULL_MODULES.join(', ')}`,
    })
    .transform((value) => (value === 'all' ? undefined : [...new Set(value)]))
    .optional(),
  /** Only what was modified since; `full` takes precedence. */
  since: z.iso.datetime({ offset: true }).optional(),
  /** List everything again and detect deletions; details still only for what is new or changed. */
  full: z.boolean().default(false),
  /** False: list rows instead of detail records in the five modules that have line items. */
  line_items: z.boolean().default(true),
  /** Allow a pull to remove more than a fifth of a module. */
  confirm_removals: z.boolean().default(false),
  /** False: files under `raw_json/` instead of a session folder. */
  session: z.boolean().default(true),
})
export type PullRequest = z.infer<typeof PullRequest>

/** Body of `POST /api/pulls/plan`: a pull, and whether zinc may count the records in Zoho. */
export const PullPlanRequest = PullRequest.extend({
  /**
   * True: the records are counted in Zoho, in a few calls per module. False: estimated from what is
   * known, without a call.
   */
  count: z.boolean().default(false),
})
export type PullPlanRequest = z.infer<typeof PullPlanRequest>

const PlanCalls = z.object({ list: z.number(), details: z.number(), total: z.number() })

/** What a pull would cost, without the calls for records that turn out to be deleted in Zoho. */
export const PullPlan = z.object({
  modules: z.array(
    z.object({
      module: z.string(),
      mode: z.enum(['full', 'incremental', 'since']),
      since: z.iso.datetime().nullable(),
      /**
       * Records that the list will return; null: the module was never pulled, and nothing was
       * counted.
       */
      records: z.number().nullable(),
      /** counted in Zoho | estimated from earlier pulls | unknown */
      basis: z.enum(['counted', 'estimated', 'unknown']),
      calls: PlanCalls,
    }),
  ),
  calls: PlanCalls,
  /** False: some modules are unknown, and the figures are the minimum. */
  complete: z.boolean(),
  /** Calls that the counting itself made. */
  counting_calls: z.number(),
  minutes: z.number(),
  /** Days of quota needed, 1 when today's is enough; null while the day's limit is unknown. */
  days: z.number().nullable(),
  ends_at: z.iso.datetime(),
})
export type PullPlan = z.infer<typeof PullPlan>

/** The name of a session folder, without the dot of an unfinished one. */
export const SessionName = z.string().regex(/^sync_session_\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}$/, 'is not the name of a session')

export const ModuleResult = z.object({
  module: z.string(),
  /** waiting | running | success | failed */
  state: z.string(),
  /**
   * full: the file contains the whole module | incremental: what changed | since: what was modified
   * since then
   */
  mode: z.enum(['full', 'incremental', 'since']),
  since: z.iso.datetime().nullable(),
  /** The modified time up to which the module is known after this session. */
  up_to: z.iso.datetime().nullable(),
  listed: z.number(),
  records: z.number(),
  /** Null: the module has none, or they were not requested. */
  line_items: z.number().nullable(),
  new: z.number(),
  updated: z.number(),
  removed: z.number(),
  error: z
    .object({
      code: z.string(),
      zoho_code: z.string().optional(),
      message: z.string(),
      remedy: z.string().nullable(),
      params: MessageParams.nullish(),
    })
    .nullable(),
})
export type ModuleResult = z.infer<typeof ModuleResult>

/** `session_info.json`, and the entries of session lists. */
export const SessionInfo = z.object({
  session: z.string(),
  stamp: z.string(),
  app: z.enum(PULL_APPS),
  run_id: z.uuid(),
  organization_id: z.string(),
  /** running | paused | complete | incomplete (a module failed) | cancelled */
  status: z.enum(['running', 'paused', 'complete', 'incomplete', 'cancelled']),
  started_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
  resumes_at: z.iso.datetime().nullable(),
  started_by: z.string().nullable(),
  full: z.boolean(),
  since: z.iso.datetime().nullable(),
  /** False: the five modules with line items contain list rows. */
  line_items: z.boolean(),
  api_calls: z.number(),
  modules: z.array(ModuleResult),
})
export type SessionInfo = z.infer<typeof SessionInfo>

/**
 * running | paused | interrupted | cancelled | incomplete | unverified | verified | differs (from
 * Zoho) | broken (a file is not what was written)
 */
export const SessionStatus = z.enum([
  'running',
  'paused',
  'interrupted',
  'cancelled',
  'incomplete',
  'unverified',
  'verified',
  'differs',
  'broken',
])
export type SessionStatus = z.infer<typeof SessionStatus>

export const PullSession = SessionInfo.extend({
  badge: SessionStatus,
  /** Bytes of the whole folder. */
  size: z.number(),
  pinned: z.boolean(),
  records: z.number(),
  verified_at: z.iso.datetime().nullable(),
})
export type PullSession = z.infer<typeof PullSession>

export const ManifestFile = z.object({ file: z.string(), rows: z.number(), bytes: z.number(), sha256: z.string() })
export type ManifestFile = z.infer<typeof ManifestFile>
export const Manifest = z.object({ session: z.string(), created_at: z.iso.datetime(), files: z.array(ManifestFile) })
export type Manifest = z.infer<typeof Manifest>

export const PullSessionDetail = PullSession.extend({ files: z.array(ManifestFile) })

/** Most ids of a kind in a report; the counts are always complete. */
export const REPORT_IDS = 1_000

const Ids = z.object({ count: z.number(), ids: z.array(z.string()) })

export const ModuleReport = z.object({
  module: z.string(),
  ok: z.boolean(),
  /** What is wrong, in words; empty when ok. */
  problems: z.array(z.string()),
  /** The same as codes; missing in reports of an older zinc. */
  findings: z.array(Message).optional(),
  /** In the files, merged to the newest state. */
  records: z.number(),
  /** In Zoho; null with `quick`. */
  api_records: z.number().nullable(),
  /** In Zoho (with `quick`: in the database) but not in the files. */
  missing: Ids,
  /** In the files but not in Zoho. */
  extra: Ids,
  /** Modified in Zoho after they were pulled. */
  stale: Ids,
  /** Not what was pulled, though Zoho did not change them. */
  altered: Ids,
  /** More than once in one file. */
  duplicates: Ids,
  /** Sums per currency; money as decimal strings. `api` is null with `quick`. */
  totals: z.array(z.object({ currency: z.string(), files: z.string(), api: z.string().nullable(), ok: z.boolean() })),
  /** Null: the module has no line items, or they were not pulled. */
  line_items: z
    .object({
      checked: z.number(),
      rows: z.number(),
      wrong: z.object({
        count: z.number(),
        documents: z.array(
          z.object({ id: z.string(), total: z.string(), expected: z.string(), reason: z.string(), finding: Message.optional() }),
        ),
      }),
    })
    .nullable(),
  files: z.array(z.object({ file: z.string(), ok: z.boolean(), problem: z.string().nullable(), finding: Message.nullish() })),
  /** What a repair has done; null before one. */
  repaired: z.object({ fetched: z.number(), removed: z.number(), files: z.number() }).nullable(),
})
export type ModuleReport = z.infer<typeof ModuleReport>

export const VerifyReport = z.object({
  /** The newest session that was checked; null when there is none. */
  session: z.string().nullable(),
  checked_at: z.iso.datetime(),
  quick: z.boolean(),
  repair: z.boolean(),
  ok: z.boolean(),
  api_calls: z.number(),
  modules: z.array(ModuleReport),
})
export type VerifyReport = z.infer<typeof VerifyReport>

export const SessionComparison = z.object({
  a: z.string(),
  b: z.string(),
  modules: z.array(
    z.object({
      module: z.string(),
      /** Null: the module is not in this session. */
      records: z.object({ a: z.number().nullable(), b: z.number().nullable() }),
      only_a: Ids,
      only_b: Ids,
      changed: Ids,
      same: z.number(),
    }),
  ),
})
export type SessionComparison = z.infer<typeof SessionComparison>

/** `GET /api/pulls/compare/record`: the fields that differ; null where a side does not have it. */
export const RecordComparison = z.object({
  in_a: z.boolean(),
  in_b: z.boolean(),
  fields: z.array(z.object({ field: z.string(), a: z.unknown(), b: z.unknown() })),
})
export type RecordComparison = z.infer<typeof RecordComparison>

/** Added to the record's own fields in `GET /api/zoho/{app}/{module}`. */
export const RecordNote = z.object({
  record_id: z.string(),
  modified_at: z.iso.datetime().nullable(),
  deleted_at: z.iso.datetime().nullable(),
})
/** The record as Zoho wrote it, with zinc's data about it under `zinc`. */
export const ZohoRecordResponse = z.looseObject({ zinc: RecordNote })
