import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { Store } from '../generated/client.ts'
import { BadRequestError, ConflictError } from '../lib/errors.ts'
import { formatCsvRow } from '../lib/format-csv.ts'
import { readNamedFile } from '../lib/open-regular-file.ts'
import { parseCsv } from '../lib/parse-csv.ts'
import { StoreBody } from '../schemas/stores.ts'
import type { Services } from '../services.ts'
import { SYSTEM_ACTOR } from '../settings/audit-log.ts'
import type { Action, ExitStatus } from './context.ts'

const COLUMNS = ['id', 'code', 'name', 'variant', 'location']
const TOKEN_NAME = 'imported'

interface Left {
  line: number
  code: string
  reason: string
}

/** A row of the file that can become a store. */
interface StoreRow {
  line: number
  body: StoreBody
  /** As the file names it; "" without one. */
  location: string
}

export function addStoreImport(store: Command, action: Action): void {
  store
    .command('import <file>')
    .description('import stores with their ids from a CSV id,code,name,variant,location; writes FILE.tokens.csv with a token for each')
    .option('--dry-run', 'only show which stores would be added and which would be left')
    .option('--days <days>', 'days until the tokens expire; 0 never', '365')
    .action(
      action(async (context, given: string, { dryRun = false, days }: { dryRun?: boolean; days: string }): Promise<ExitStatus> => {
        const file = resolve(given)
        const expires = Number(days)
        if (!Number.isFinite(expires) || expires < 0) throw new BadRequestError('invalid_token_options')
        const { db, stores, edgeTokens } = await context.services()
        const tokens = `${file}.tokens.csv`
        const { added, left } = await importStores({ db, stores, edgeTokens }, file, {
          tokens,
          dryRun,
          expiresInDays: expires === 0 ? null : expires,
        })
        const lines = [
          ...added.map((it) => `${dryRun ? 'would be added' : 'added'}: ${it.code}  ${it.id ?? 'with a new id'}`),
          ...left.map((it) => `left: line ${it.line} ${it.code}: ${it.reason}`),
          ...(dryRun || added.length === 0 ? [] : [tokens]),
        ]
        const data = { status: left.length > 0 ? 'partial' : 'success', dry_run: dryRun, added, left, tokens: dryRun ? null : tokens }
        context.result(data, lines.join('\n'))
        if (!dryRun && added.length > 0)
          context.say('The file with the tokens is the only place that has them: take each to its shop, then delete it.')
        return left.length > 0 ? 1 : 0
      }),
    )
}

/**
 * Adds the stores of a CSV, each with a token in the file `tokens`, which must not exist. Returns
 * what was added (in a dry run: would be) and what was left, with the reason. Throws
 * BadRequestError `path_not_found`, `file_unusable`, `invalid_store_file`; ConflictError
 * `tokens_file_exists`.
 */
export async function importStores(
  services: StoreServices,
  file: string,
  { tokens, dryRun, expiresInDays }: { tokens: string; dryRun: boolean; expiresInDays: number | null },
): Promise<{ added: { id: string | undefined; code: string }[]; left: Left[] }> {
  const { rows, left } = readStores(await readNamedFile(file), file)
  const added = dryRun ? await planned(services, rows, left) : await addAll(services, rows, { left, tokens, expiresInDays })
  return { added, left }
}

type StoreServices = Pick<Services, 'db' | 'stores' | 'edgeTokens'>

function readStores(text: string, file: string): { rows: StoreRow[]; left: Left[] } {
  const { columns, rows: lines } = parseCsv(text)
  const unknown = columns.filter((name) => !COLUMNS.includes(name))
  if (!columns.includes('code') || !columns.includes('name') || unknown.length > 0)
    throw new BadRequestError('invalid_store_file', { file, columns: COLUMNS })
  const rows: StoreRow[] = []
  const left: Left[] = []
  for (const { line, values } of lines) {
    const { location = '', ...fields } = values
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''))
    const body = StoreBody.safeParse(given)
    if (body.success) rows.push({ line, body: body.data, location })
    else
      left.push({ line, code: values.code ?? '', reason: body.error.issues.map((it) => `${it.path.join('.')}: ${it.message}`).join('; ') })
  }
  return { rows, left }
}

/**
 * Sets the location of a store, which the file names by its id or name. An unknown or ambiguous one
 * is reported, and the store is added without it, because its shop needs the token.
 */
async function withLocation({ db }: StoreServices, body: StoreBody, location: string): Promise<{ body: StoreBody; left: string | null }> {
  const name = location.trim()
  if (name === '') return { body, left: null }
  const locations = await db.location.findMany({ where: { OR: [{ gone_at: null }, { id: name }] } })
  const byId = locations.filter((it) => it.id === name)
  const found = byId.length > 0 ? byId : locations.filter((it) => it.name.trim().toLowerCase() === name.toLowerCase())
  const [only, another] = found
  if (only && !another) return { body: { ...body, location_id: only.id }, left: null }
  const later = 'set it on the page Stores'
  const left = only
    ? `location not set: ${found.length} locations are named ${name} (${found.map((it) => it.id).join(', ')}); ${later}`
    : `location not set: no location is named ${name}; read stock by location once (npx zinc sync items --full), then ${later}`
  return { body, left }
}

async function planned(services: StoreServices, rows: StoreRow[], left: Left[]): Promise<{ id: string | undefined; code: string }[]> {
  const known = await services.db.store.findMany({ select: { id: true, code: true } })
  const added: { id: string | undefined; code: string }[] = []
  for (const { line, body, location } of rows) {
    const { id, code } = body
    const taken = known.find((it) => it.id === id || it.code === code)
    known.push({ id: id ?? '', code })
    if (taken) {
      left.push({ line, code, reason: taken.id === id ? 'a store with this id is there already' : 'another store has this code' })
      continue
    }
    added.push({ id, code })
    const { left: unset } = await withLocation(services, body, location)
    if (unset !== null) left.push({ line, code, reason: unset })
  }
  return added
}

/** Each token is in the file before the next store is added, so that an interruption loses none. */
async function addAll(
  services: StoreServices,
  rows: StoreRow[],
  { left, tokens, expiresInDays }: { left: Left[]; tokens: string; expiresInDays: number | null },
): Promise<Pick<Store, 'id' | 'code'>[]> {
  const added: Pick<Store, 'id' | 'code'>[] = []
  const output = await open(tokens, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'EEXIST'
      ? new ConflictError('tokens_file_exists', { file: tokens })
      : new BadRequestError('file_unusable', { path: tokens, problem: cause.message })
  })
  try {
    await output.writeFile(formatCsvRow(['id', 'code', 'name', 'token', 'expires_at']))
    for (const { line, body: read, location } of rows) {
      try {
        const { body, left: unset } = await withLocation(services, read, location)
        const store = await services.stores.create(body, SYSTEM_ACTOR)
        const { token, row } = await services.edgeTokens.issue(store.id, { name: TOKEN_NAME, expires_in_days: expiresInDays }, SYSTEM_ACTOR)
        await output.writeFile(formatCsvRow([store.id, store.code, store.name, token, row.expires_at?.toISOString() ?? '']))
        await output.sync()
        added.push({ id: store.id, code: store.code })
        if (unset !== null) left.push({ line, code: store.code, reason: unset })
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error
        left.push({ line, code: read.code, reason: error.message })
      }
    }
  } finally {
    await output.close()
  }
  return added
}
