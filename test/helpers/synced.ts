import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import pg from 'pg'
import { inject } from 'vitest'
import { createFrom, type TestDatabase } from './database.ts'

const run = promisify(execFile)
/** Any number that is the same in all workers of a run, and not the one of the browser. */
const LOCK = 7_263_002
const TEMPLATE = 'template_synced'

interface Source {
  url: string
  dataDir: string
}

/** Links stay links: the folder that people look into holds the same files by other names. */
const copyFolder = (from: string, to: string) => run('cp', ['-a', `${from}/.`, to])

async function makeTemplate(sync: (work: (source: Source) => Promise<void>) => Promise<void>): Promise<void> {
  const admin = new pg.Client(inject('postgresUrl'))
  await admin.connect()
  try {
    await admin.query('select pg_advisory_lock($1)', [LOCK])
    const { rowCount } = await admin.query('select from pg_database where datname = $1', [TEMPLATE])
    if (rowCount === 0)
      await sync(async ({ url, dataDir }) => {
        // Tokens, limits and calls are another Zoho's.
        const client = new pg.Client(url)
        await client.connect()
        await client.query('truncate zoho_token, zoho_rate_limit, zoho_call')
        await client.end()
        await copyFolder(dataDir, inject('syncedDir'))
        await admin.query(`create database ${TEMPLATE} template ${new URL(url).pathname.slice(1)}`)
      })
  } finally {
    await admin.end()
  }
}

let made: Promise<void> | undefined

/**
 * A database and a folder as a first sync with pictures has left them. `sync` is done once a run,
 * in whichever worker comes first:
 * its twenty pictures cost more than most tests that begin with them.
 */
export async function copySynced(dataDir: string, sync: Parameters<typeof makeTemplate>[0]): Promise<TestDatabase> {
  made ??= makeTemplate(sync)
  await made
  await copyFolder(inject('syncedDir'), dataDir)
  return createFrom(TEMPLATE)
}
