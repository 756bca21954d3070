import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { Run } from '../generated/client.ts'
import { parseBucketUrl } from '../images/import/bucket-url.ts'
import { IMAGES_IMPORT } from '../images/import/import-run.ts'
import { claimImport, dropImport, importResult, LISTED, previewImport, stageArchive, stageFolder } from '../images/import/imports.ts'
import { serializePlan } from '../images/import/match.ts'
import { readProductMap } from '../images/import/product-map.ts'
import { MEDIA_INTEGRITY_REPAIR } from '../images/integrity/repair-run.ts'
import { readIntegrity } from '../images/integrity/report.ts'
import { MEDIA_INTEGRITY_SCAN } from '../images/integrity/scan-run.ts'
import { MEDIA_REGENERATE } from '../images/processing/regenerate-run.ts'
import { moveStorage } from '../images/storage/move-storage.ts'
import { BadRequestError } from '../lib/errors.ts'
import { openNamedFile } from '../lib/open-regular-file.ts'
import type { Action, CommandContext, ExitStatus } from './context.ts'
import { watchRun } from './progress-bar.ts'

const BY = { startedBy: 'command line' }
const SHOWN = 50

async function runToItsEnd(context: CommandContext, kind: string, params: object): Promise<Run> {
  const { runs } = await context.services()
  const { run_id } = await runs.start(kind, params, BY)
  const run = await watchRun(runs, run_id, context)
  // A signal ends only the display; the run itself is paused when the services close.
  context.signal.throwIfAborted()
  return run
}

export function addImages(program: Command, action: Action): void {
  const images = program.command('images').description('import, verify, regenerate and move images')
  images
    .command('import <path>')
    .description(
      'import images from a folder, a ZIP or a bucket (s3://BUCKET/PREFIX, with S3_*), laid out {SKU}/name.jpg, {SKU}.jpg or {zoho_item_id}.jpg',
    )
    .option('--map <file>', 'a CSV `path,sku` (or zoho_item_id, product_id) that says which product each file or folder belongs to')
    .option('--as-zoho', 'the images are copies of Zoho’s: the next sync compares them with Zoho’s and replaces those that differ')
    .option('--dry-run', 'only show what matches')
    .action(action(importImages))
  images
    .command('verify')
    .description('check every stored image against its hash; exits with status 1 if there are findings')
    .option('--repair', 'download damaged images again from their source, regenerate variants, delete unused files')
    .option('--adopt', 'make files that were put into images/item/ by hand, named {zoho_item_id}.jpg, the images of their products')
    .action(action(verifyImages))
  images
    .command('thumbnails')
    .description('regenerate thumbnails (all variants)')
    .option('--missing', 'only missing ones')
    .option('--all', 'all thumbnails')
    .action(action(remakeVariants))
  images
    .command('migrate-storage')
    .description('move images to the storage set in STORAGE (disk or bucket), while zinc keeps running')
    .option('--remove-old', 'delete each file from the old storage after it has been verified in the new one')
    .action(action(migrateStorage))
}

interface ImportOptions {
  dryRun?: true
  map?: string
  asZoho?: true
}

/** Keeps what the path names until the run has ended; returns the import's id. */
async function stage(context: CommandContext, path: string, { map: mapFile, asZoho }: ImportOptions): Promise<{ id: string }> {
  const options = { map: mapFile === undefined ? undefined : await readProductMap(resolve(mapFile)), asZoho }
  if (path.startsWith('s3://')) {
    parseBucketUrl(path)
    return stageFolder((await context.services()).imageImports, { bucket_url: path }, options)
  }
  const full = resolve(path)
  const facts = await stat(full).catch((cause: Error) => {
    throw new BadRequestError('path_not_found', { path }, { cause })
  })
  if (facts.isDirectory()) return stageFolder((await context.services()).imageImports, { folder: full }, options)
  await using archive = await openNamedFile(full)
  const { imageImports } = await context.services()
  return await stageArchive(imageImports, archive.createReadStream(), context.signal, options)
}

async function importImages(context: CommandContext, path: string, options: ImportOptions): Promise<ExitStatus> {
  const { id } = await stage(context, path, options)
  const { dryRun = false } = options
  const { imageImports, db } = await context.services()
  if (dryRun) {
    try {
      const plan = serializePlan(await previewImport(imageImports, id, context.signal), LISTED)
      context.result({ status: 'success', ...plan }, describeImport(plan, countsOf(plan), 'would be imported'))
      return plan.ambiguous.length + plan.unmatched.length + plan.unreadable.length > 0 ? 1 : 0
    } finally {
      await dropImport(imageImports, id)
    }
  }
  await claimImport(imageImports, id)
  const run = await runToItsEnd(context, IMAGES_IMPORT, { import_id: id })
  const { plan, counts } = await importResult(db, run.id)
  context.result({ status: run.state, run_id: run.id, ...plan, counts }, describeImport(plan, counts, 'imported'))
  return run.state === 'success' && counts.unmatched + counts.ambiguous === 0 ? 0 : 1
}

type Plan = ReturnType<typeof serializePlan>
type Counts = Record<keyof Plan, number>
const countsOf = (plan: Plan): Counts => ({
  matched: plan.matched.length,
  ambiguous: plan.ambiguous.length,
  unmatched: plan.unmatched.length,
  unreadable: plan.unreadable.length,
})

function describeImport(plan: Plan, counts: Counts, taken: string): string {
  const missed = [...plan.ambiguous, ...plan.unmatched, ...plan.unreadable]
  const lines = missed.slice(0, SHOWN).map((it) => `  ${it.name}: ${it.message}`)
  const rest = counts.ambiguous + counts.unmatched + counts.unreadable - lines.length
  return [
    `${counts.matched} images ${taken}, ${rest + lines.length} skipped${lines.length > 0 ? ':' : '.'}`,
    ...lines,
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ].join('\n')
}

async function verifyImages(
  context: CommandContext,
  { repair = false, adopt = false }: { repair?: boolean; adopt?: boolean },
): Promise<ExitStatus> {
  const { db } = await context.services({ mustExist: true })
  const scan = await runToItsEnd(context, MEDIA_INTEGRITY_SCAN, {})
  if (scan.state !== 'success' && scan.state !== 'partial') return failed(context, scan)
  if (repair && scan.state === 'partial') {
    const run = await runToItsEnd(context, MEDIA_INTEGRITY_REPAIR, {})
    if (run.state !== 'success' && run.state !== 'partial') return failed(context, run)
  }
  if (adopt && scan.state === 'partial') {
    const byHand = await db.mediaFinding.findMany({ where: { run_id: scan.id, repair: 'adopt' }, select: { sha256: true } })
    if (byHand.length > 0) {
      const run = await runToItsEnd(context, MEDIA_INTEGRITY_REPAIR, { sha256: byHand.map((it) => it.sha256) })
      if (run.state !== 'success' && run.state !== 'partial') return failed(context, run)
    }
  }
  const { findings, counts, checked } = await readIntegrity(db, { after: null, limit: LISTED })
  const wrong = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const repaired = repair || adopt ? (scan.statistics as Record<string, number>).findings! - wrong : 0
  const lines = findings
    .slice(0, SHOWN)
    .map(
      ({ kind, sha256, file, products, repair: way }) =>
        `  ${kind}  ${file ?? sha256.slice(0, 16)}  ${products[0]?.sku ?? products[0]?.name ?? ''}  ${way}`,
    )
  const text = `${checked} files checked, ${repaired > 0 ? `${repaired} repaired, ` : ''}${wrong} missing or damaged${wrong > 0 ? ':' : '.'}`
  const data = { status: wrong > 0 ? 'partial' : 'success', checked, repaired, counts, findings }
  context.result(
    data,
    [
      text,
      ...lines,
      ...(wrong > 0 && !repair ? ['Repair with: zinc images verify --repair'] : []),
      ...(!adopt && findings.some((it) => it.repair === 'adopt')
        ? ['Take files put into images/item/ by hand with: zinc images verify --adopt']
        : []),
    ].join('\n'),
  )
  return wrong > 0 ? 1 : 0
}

function failed(context: CommandContext, run: Run): ExitStatus {
  context.result(
    { status: run.state, run_id: run.id, cause: run.cause, remedy: run.remedy },
    [run.cause, run.remedy].filter(Boolean).join('\n') || `The run is ${run.state}.`,
  )
  return 1
}

async function remakeVariants(
  context: CommandContext,
  { missing = false, all = false }: { missing?: boolean; all?: boolean },
): Promise<ExitStatus> {
  if (missing === all) throw new BadRequestError('invalid_options.missing_or_all')
  const run = await runToItsEnd(context, MEDIA_REGENERATE, { which: all ? 'all' : 'missing' })
  if (run.state !== 'success' && run.state !== 'partial') return failed(context, run)
  const { made = 0, checked = 0, failed: broken = 0 } = run.statistics as Record<string, number>
  context.result(
    { status: run.state, run_id: run.id, made, checked, failed: broken },
    `${made} variants of ${checked} images generated, ${broken} images could not be read.`,
  )
  return run.state === 'success' ? 0 : 1
}

async function migrateStorage(context: CommandContext, { removeOld = false }: { removeOld?: boolean }): Promise<ExitStatus> {
  const { moving, store } = await context.services({ mustExist: true })
  if (!moving) {
    context.result(
      { status: 'success', copied: 0 },
      `Nothing to move: all images are already in the ${store.backend === 's3' ? 'bucket' : 'folder'} set in STORAGE.`,
    )
    return 0
  }
  let said = 0
  const counts = await moveStorage({
    ...moving,
    removeOld,
    signal: context.signal,
    onProgress: ({ copied, there }) => {
      if (Date.now() - said < 2_000) return
      said = Date.now()
      context.say(`${copied} copied, ${there} already there`)
    },
  })
  const { copied, there, damaged, removed } = counts
  context.result(
    { status: damaged > 0 ? 'partial' : 'success', ...counts },
    `${copied} files copied, ${there} already there, ${removed} deleted from the old storage, ${damaged} damaged and not moved.${damaged > 0 ? '\nThen run: zinc images verify --repair' : ''}`,
  )
  return damaged > 0 ? 1 : 0
}
