import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { findManifest } from '../backup/manifest.ts'
import { type RestoreResult, restoreBackup } from '../backup/restore.ts'
import { readRestoreMarker } from '../backup/restore-marker.ts'
import { backupFolders } from '../backup/sources.ts'
import { type BackupTarget, normalizeTarget, openTarget } from '../backup/target.ts'
import { type BackupCheck, verifyBackups } from '../backup/verify.ts'
import { openStorage } from '../images/storage/open-storage.ts'
import { openDataDir } from '../lib/data-dir.ts'
import { NotFoundError } from '../lib/errors.ts'
import { pullPaths } from '../pulls/files/paths.ts'
import type { Action, CommandContext } from './context.ts'
import { withDatabase } from './context.ts'

const SAY_EVERY_MS = 5_000

export function addBackup(program: Command, action: Action): void {
  const backup = program
    .command('backup')
    .description('back up database, images, settings and sessions to a folder or s3://BUCKET/PREFIX while zinc keeps running')
    .argument('[target]', 'a folder, or s3://BUCKET/PREFIX; without it that of the schedule')
    .option('--with-keys', 'include CREDENTIALS_KEY and JWT_SECRET: anyone who reads the backup can decrypt the stored secrets')
    .action(
      action(async (context, target: string | undefined, { withKeys = false }: { withKeys?: boolean }) => {
        const { backups } = await context.services({ mustExist: true })
        const now = everyFewSeconds((text) => context.say(text))
        const row = await backups.runNow('backup', target ?? null, {
          withKeys,
          signal: context.signal,
          onProgress: (done, total) => now(`${done} of ${total} files`),
        })
        const counts = row.counts as Record<string, number>
        const data = { id: row.backup_id, target: row.target, state: row.state, ...counts, with_keys: withKeys }
        const text = [
          `Backup ${row.backup_id} in ${row.target}: ${counts.rows} rows, ${counts.files} files, of which ${counts.added_files} were written (${counts.added_bytes} bytes).`,
          ...(withKeys
            ? []
            : ['Keys are not in it: keep CREDENTIALS_KEY and JWT_SECRET (or DATA_DIR/settings/*.key) in a second, safe place.']),
          ...(row.state === 'partial'
            ? [`${counts.missing} images were missing or damaged in zinc itself. Run: npx zinc images verify --repair`]
            : []),
        ]
        context.result({ status: row.state, data }, text.join('\n'))
        return row.state === 'success' ? 0 : 1
      }),
    )
  backup
    .command('verify <target>')
    .description(
      'read every byte of the backups there and compare it with its checksum; exit status 1 when one is damaged or none is finished',
    )
    .action(
      action(async (context, name: string) => {
        const verdicts = await withTarget(context, name, (target) => verifyBackups(target, context.signal))
        if (verdicts.length === 0) throw new NotFoundError('backup_not_found', { target: name })
        const broken = verdicts.some(({ state }) => state === 'damaged')
        context.result({ status: broken ? 'error' : 'success', data: verdicts }, verdicts.map(verdictText).join('\n'))
        return broken ? 1 : 0
      }),
    )
  backup
    .command('rehearse')
    .argument('[target]', 'a folder, or s3://BUCKET/PREFIX; without it that of the schedule')
    .description('restore the newest backup into a scratch database, compare digests, and drop it')
    .action(
      action(async (context, target: string | undefined) => {
        const { backups } = await context.services({ mustExist: true })
        const row = await backups.runNow('rehearsal', target ?? null, { withKeys: false, signal: context.signal })
        const counts = row.counts as Record<string, number>
        context.result(
          { status: 'success', data: { id: row.backup_id, target: row.target, ...counts } },
          `Backup ${row.backup_id} can be restored: ${counts.rows} rows of ${counts.tables} tables have the digests of its moment, ${counts.files} files are whole (${counts.took_ms} ms).`,
        )
        return undefined
      }),
    )

  program
    .command('restore <target>')
    .description('restore a backup into an empty database and data folder; a killed restore resumes where it stopped')
    .option('--backup <id>', 'which backup; the newest without it')
    .option('--new-keys', 'the keys are lost: forget what they encrypted, keep users, make new keys')
    .action(
      action(async (context, name: string, { backup: id, newKeys = false }: { backup?: string; newKeys?: boolean }) => {
        const result = await restore(context, name, { id, newKeys })
        context.result({ status: result.missing.length > 0 ? 'partial' : 'success', data: result }, restoreText(result).join('\n'))
        return result.missing.length > 0 ? 1 : 0
      }),
    )
}

async function restore(
  context: CommandContext,
  name: string,
  { id, newKeys }: { id: string | undefined; newKeys: boolean },
): Promise<RestoreResult> {
  const { config, log, signal } = context
  await openDataDir(config.dataDir)
  return withTarget(context, name, async (target) => {
    // A resumed restore is of the backup that it began with, although a newer one may be there.
    const begun = id === undefined ? (await readRestoreMarker(config.dataDir))?.backup_id : undefined
    const manifest = await findManifest(target, { id: id ?? begun, name })
    const now = everyFewSeconds((text) => context.say(text))
    return withDatabase(context, async (databaseUrl) => {
      await using storage = await openStorage(config.storage, join(config.dataDir, 'images'), null)
      const place = {
        databaseUrl,
        storage,
        dataDir: config.dataDir,
        folders: backupFolders(config.dataDir, pullPaths(config.dataDir, config.pull.jsonBaseDir)),
        keys: config.keys,
      }
      return restoreBackup(place, {
        target,
        targetName: normalizeTarget(name),
        manifest,
        newKeys,
        log,
        signal,
        onProgress: (done, total) => now(`${done} of ${total} files restored`),
      })
    })
  })
}

/** Opens a target that exists, with a folder for unfinished work that is removed afterwards. */
async function withTarget<T>({ config }: CommandContext, name: string, work: (target: BackupTarget) => Promise<T>): Promise<T> {
  const workDir = join(config.dataDir, 'tmp', `restore-${process.pid}`)
  try {
    await using target = await openTarget(name, { bucketAccess: config.backup.s3, workDir, mustExist: true })
    return await work(target)
  } finally {
    await rm(workDir, { recursive: true, force: true })
  }
}

function everyFewSeconds(say: (text: string) => void): (text: string) => void {
  let last = performance.now()
  return (text) => {
    if (performance.now() - last < SAY_EVERY_MS) return
    last = performance.now()
    say(text)
  }
}

function verdictText({ id, state, files, damaged }: BackupCheck): string {
  if (state !== 'damaged') return `${id}: ${files} files, all whole.`
  return `${id}: DAMAGED. Missing or changed: ${damaged.join(', ')}. The next backup writes them again once the damaged files are removed from the target.`
}

function restoreText({ backup_id, created_at, rows, files, missing, new_keys }: RestoreResult): string[] {
  const lines = [`Restored ${backup_id} of ${created_at}: ${rows} rows, ${files} files. Start zinc now.`]
  if (new_keys?.keys.includes('credentials'))
    lines.push(
      `${new_keys.secrets_forgotten} stored secrets were forgotten. Enter Zoho's client secret and refresh token again under Connection, and the secrets under Notifications and Webhooks. Users keep their passwords, and set up second factors again.`,
    )
  if (new_keys?.keys.includes('jwt'))
    lines.push(
      new_keys.edge_tokens.length === 0
        ? 'Edge tokens of before are invalid; there were none in use.'
        : `Edge tokens have to be made again (npx zinc token issue): ${new_keys.edge_tokens.map(({ store, name }) => `${store} (${name})`).join(', ')}.`,
    )
  if (missing.length > 0)
    lines.push(
      `${missing.length} images are not whole in the backup, e.g. ${missing[0]}. After the start, run: npx zinc images verify --repair`,
    )
  return lines
}
