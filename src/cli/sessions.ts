import { type Command, Option } from 'commander'
import { BadRequestError } from '../lib/errors.ts'
import { createShopTime } from '../lib/shop-time.ts'
import { importSessions } from '../pulls/import/import-sessions.ts'
import type { PullSession } from '../schemas/pulls.ts'
import { recordAudit, SYSTEM_ACTOR } from '../settings/audit-log.ts'
import type { Action, ExitStatus } from './context.ts'

export const shownSize = (bytes: number): string => (bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e3).toFixed(1)} kB`)

export const sessionLine = (it: PullSession): string =>
  `${it.session}  ${it.badge.padEnd(11)} ${String(it.records).padStart(8)} records  ${shownSize(it.size).padStart(10)}${it.pinned ? '  pinned' : ''}`

function whole(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d+$/.test(text)) throw new BadRequestError('invalid_number', { name })
  return Number(text)
}

export function addSessions(program: Command, action: Action): void {
  const sessions = program.command('sessions').description('list, show, import, pin, prune and compare pull sessions')
  sessions
    .command('list')
    .description('list sessions, newest first')
    .action(
      action(async (context): Promise<ExitStatus> => {
        const all = await (await context.services({ mustExist: true })).pulls.sessions.list()
        context.result(
          { status: 'success', data: all },
          all.length === 0 ? 'No sessions yet. Create one with `zinc fetch all`.' : all.map(sessionLine).join('\n'),
        )
        return 0
      }),
    )
  sessions
    .command('show <session>')
    .description('show the modules and files of a session')
    .action(
      action(async (context, name: string): Promise<ExitStatus> => {
        const { pulls, connect } = await context.services({ mustExist: true })
        const it = await pulls.sessions.get(name)
        const shopTime = createShopTime((await connect.knownOrganization())?.timeZone)
        const times = [it.started_at, it.finished_at].flatMap((at) => (at === null ? [] : [shopTime(at)])).join(' – ')
        const modules = it.modules.map(
          (module) =>
            `  ${module.module.padEnd(17)} ${module.state.padEnd(8)} ${module.mode.padEnd(12)} ${module.records} records${module.line_items === null ? '' : `, ${module.line_items} line items`}${module.error ? `  ${module.error.message}` : ''}`,
        )
        const files = it.files.map(
          (file) =>
            `  ${file.sha256.slice(0, 12)}  ${String(file.rows).padStart(8)} rows  ${shownSize(file.bytes).padStart(10)}  ${file.file}`,
        )
        context.result(
          { status: 'success', data: it },
          [sessionLine(it), `${times}  ${it.api_calls} API calls`, ...modules, ...files].join('\n'),
        )
        return 0
      }),
    )
  for (const [name, pinned] of [
    ['pin', true],
    ['unpin', false],
  ] as const) {
    sessions
      .command(`${name} <session>`)
      .description(pinned ? 'pin a session, so that it is never pruned' : 'unpin a session')
      .action(
        action(async (context, session: string): Promise<ExitStatus> => {
          const { db, pulls } = await context.services({ mustExist: true })
          const it = await pulls.sessions.pin(session, pinned)
          await recordAudit(db, { ...SYSTEM_ACTOR, action: pinned ? 'pull.pin' : 'pull.unpin', target: `pull:${session}` })
          context.result({ status: 'success', data: it }, sessionLine(it))
          return 0
        }),
      )
  }
  sessions
    .command('import <dir>')
    .description(
      'import the pulls of an older tool: a raw_json/<stamp> or session folder, or a folder of them; copies the files, writes the records, sets each watermark',
    )
    .option('--dry-run', 'only say what would be taken, what would be left, and from where the next fetch would continue')
    .addOption(new Option('--app <app>', 'the Zoho app of the files').choices(['books', 'invoice']).default('books'))
    .action(
      action(
        async (
          context,
          directory: string,
          { app, dryRun = false }: { app: 'books' | 'invoice'; dryRun?: boolean },
        ): Promise<ExitStatus> => {
          const { db, clock, pulls, connect } = await context.services()
          const timeZone = (await connect.knownOrganization())?.timeZone ?? null
          const report = await importSessions({ db, clock, paths: pulls.paths, timeZone }, directory, { app, dryRun }, context.signal)
          const lines = [
            ...report.sessions.map(
              (it) => `${it.from} ${it.copied ? (dryRun ? 'would be copied' : 'copied') : 'is already there'}: ${it.to}`,
            ),
            ...report.modules.map(
              (it) =>
                `  ${it.module.padEnd(17)} ${it.records} records${it.line_items === null ? '' : `, ${it.line_items} line items`}: ${it.new} new, ${it.updated} updated; the next fetch ${it.up_to === null ? 'reads the whole list' : `continues from ${it.up_to}`}`,
            ),
            ...report.left.map((it) => `left: ${it.file}: ${it.reason}`),
          ]
          const status = report.unreadable.length > 0 ? 'partial' : 'success'
          context.result({ status, dry_run: dryRun, ...report }, lines.join('\n'))
          if (!dryRun) await recordAudit(db, { ...SYSTEM_ACTOR, action: 'pull.import', target: 'pulls' })
          return status === 'success' ? 0 : 1
        },
      ),
    )
  sessions
    .command('prune')
    .description('delete old sessions; pinned, unfinished and still needed ones are kept')
    .option('--keep <n>', 'number of newest sessions to keep')
    .option('--older-than <days>', 'delete sessions older than this')
    .action(
      action(async (context, options: { keep?: string; olderThan?: string }): Promise<ExitStatus> => {
        const rule = { keep: whole('--keep', options.keep), olderThanDays: whole('--older-than', options.olderThan) }
        if ((rule.keep === undefined) === (rule.olderThanDays === undefined)) throw new BadRequestError('invalid_options.keep_or_age')
        const { db, pulls } = await context.services({ mustExist: true })
        const { removed, kept: saved } = await pulls.sessions.prune(rule)
        await recordAudit(db, ...removed.map((it) => ({ ...SYSTEM_ACTOR, action: 'pull.delete', target: `pull:${it}` })))
        context.result(
          { status: 'success', removed, kept: saved },
          [...removed.map((it) => `removed ${it}`), `${removed.length} removed, ${saved.length} kept`].join('\n'),
        )
        return 0
      }),
    )
  sessions
    .command('compare <a> <b>')
    .description('compare the records of each module in two sessions')
    .action(
      action(async (context, a: string, b: string): Promise<ExitStatus> => {
        const comparison = await (await context.services({ mustExist: true })).pulls.compare(a, b)
        const lines = comparison.modules.map(({ module, records, same, changed, only_a, only_b }) =>
          records.a === null || records.b === null
            ? `${module.padEnd(17)} not in the ${records.a === null ? 'first' : 'second'} session`
            : `${module.padEnd(17)} ${records.a} and ${records.b} records: ${same} the same, ${changed.count} differ, ${only_a.count} only in the first, ${only_b.count} only in the second`,
        )
        context.result({ status: 'success', data: comparison }, lines.join('\n'))
        return 0
      }),
    )
}
