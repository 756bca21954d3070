import type pg from 'pg'
import type { Logger } from 'pino'
import { createClient } from '../database/connection.ts'
import { quoted } from '../database/dump.ts'
import { restoreDatabase } from '../database/restore-dump.ts'
import { compareDigests } from '../database/table-digests.ts'
import { ConflictError } from '../lib/errors.ts'
import { damaged, type Manifest, withContent } from './manifest.ts'
import type { BackupTarget } from './target.ts'
import { brokenFiles } from './verify.ts'

export interface Rehearsal {
  backup_id: string
  tables: number
  rows: number
  files: number
  took_ms: number
}

export interface RehearseOptions {
  target: BackupTarget
  manifest: Manifest
  /** A role that may create databases on the server of this one. */
  ownerUrl: string
  log: Logger
  signal: AbortSignal
}

/** PostgreSQL cuts names there. */
const MAX_NAME_BYTES = 63
const SUFFIX = '_rehearsal'

/**
 * Restores the newest backup into a scratch database beside the real one, compares the digest of
 * each table with that of the backup's moment, reads every file, and drops the database. Throws
 * ConflictError `backup_damaged`, `backup_differs`, `rehearsal_not_permitted`.
 */
export async function rehearseRestore({ target, manifest, ownerUrl, log, signal }: RehearseOptions): Promise<Rehearsal> {
  const begun = performance.now()
  const broken = await brokenFiles(target, manifest, { signal })
  if (broken.length > 0) throw damaged(manifest.id, broken)
  const { sha256, tables } = manifest.database
  const rows = await withContent(
    target,
    { id: manifest.id, sha256, name: 'the dump of the database' },
    (file) =>
      withScratchDatabase(ownerUrl, async (url) => {
        const beforeCommit = (client: pg.Client) => compareDigests(client, manifest.database.digests)
        return (await restoreDatabase(url, file, { log, beforeCommit, upgrade: false })).rows
      }),
    signal,
  )
  return { backup_id: manifest.id, tables, rows, files: manifest.files, took_ms: Math.round(performance.now() - begun) }
}

async function withScratchDatabase<T>(ownerUrl: string, work: (url: string) => Promise<T>): Promise<T> {
  const client = createClient(ownerUrl)
  await client.connect()
  try {
    const { rows } = await client.query<{ name: string }>('select current_database() as name')
    const name = `${(rows[0]?.name ?? 'zinc').slice(0, MAX_NAME_BYTES - SUFFIX.length)}${SUFFIX}`
    const drop = () => client.query(`drop database if exists ${quoted(name)} with (force)`)
    const url = new URL(ownerUrl)
    url.pathname = `/${encodeURIComponent(name)}`
    try {
      await drop() // a rehearsal that was killed left it
      await client.query(`create database ${quoted(name)} template template0`)
    } catch (cause) {
      throw (cause as { code?: string }).code === '42501' ? new ConflictError('rehearsal_not_permitted', {}, { cause }) : cause
    }
    try {
      return await work(url.href)
    } finally {
      await drop()
    }
  } finally {
    await client.end()
  }
}
