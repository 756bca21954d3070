import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import pg from 'pg'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { dumpDatabase } from '../../src/database/dump.ts'
import { restoreDatabase } from '../../src/database/restore-dump.ts'
import { createEmptyDatabase, createTestDatabase } from '../helpers/database.ts'
import { shortened } from '../helpers/long.ts'

const log = pino({ level: 'silent' })

async function place() {
  const dir = await mkdtemp(join(tmpdir(), 'zinc-restore-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const empty = await createEmptyDatabase()
  onTestFinished(empty.drop)
  return { dir, empty }
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** A dump of zinc with lines of a stranger behind its first two. */
async function forged(dir: string, ...lines: string[]): Promise<string> {
  const source = await createTestDatabase()
  onTestFinished(source.drop)
  const whole = join(dir, 'whole')
  await dumpDatabase(source.url, whole)
  const head = gunzipSync(await readFile(whole))
    .toString('utf8')
    .split('\n')
    .slice(0, 2)
  const file = join(dir, 'forged')
  await writeFile(file, gzipSync(`${[...head, ...lines].join('\n')}\n`))
  return file
}

const SETTING = `COPY setting FROM PROGRAM 'touch MARK';`
test.each(
  shortened(1, [
    ['a program as the source of a table', SETTING],
    ['a second statement behind a sequence', `select setval('audit_entry_id_seq', 1); copy (select 'x') to program 'touch MARK';`],
    ['a quoted sequence with a second statement', `select setval('"audit_entry_id_seq"', 1); copy (select 'x') to program 'touch MARK';`],
    ['a function as the number of a sequence', `select setval('"audit_entry_id_seq"', length(pg_read_file('/etc/passwd')));`],
    ['a file as the source of a known table', `COPY "setting" ("name") FROM '/etc/passwd';`],
    ['a table that is not zinc’s', 'COPY "pg_authid" ("rolname") FROM stdin;', 'evil', '\\.'],
    ['a column that the table does not have', 'COPY "app_user" ("id", "nothing") FROM stdin;', '\\.'],
    ['a name that ends its quotes', 'COPY "app_user" ("id"") FROM PROGRAM \'touch MARK\'; --") FROM stdin;', '\\.'],
    ['the table of migrations', 'COPY "_prisma_migrations" ("id") FROM stdin;', '\\.'],
    ['any other statement', 'create table public.planted ();'],
  ]),
)('a restore refuses %s in words and executes nothing of it', async (_name, ...lines) => {
  const { dir, empty } = await place()
  const mark = join(tmpdir(), `zinc-restore-mark-${process.pid}`)
  onTestFinished(() => rm(mark, { force: true }))
  const file = await forged(dir, ...lines.map((it) => it.replace('MARK', mark)))
  await expect(restoreDatabase(empty.url, file, { log })).rejects.toMatchObject({
    code: 'invalid_dump',
    message: expect.stringContaining('line 3'),
    detail: { line: 3, remedy: expect.stringContaining('zinc db dump') },
  })
  await expect(stat(mark)).rejects.toMatchObject({ code: 'ENOENT' })
  expect(await query(empty.url, `select to_regclass('public.planted') as planted`)).toEqual([{ planted: null }])
})

test('a restore works as a role without superuser rights, which is gone afterwards', async () => {
  const { dir, empty } = await place()
  const source = await createTestDatabase()
  onTestFinished(source.drop)
  await query(source.url, `insert into app_user (username, password_hash, role) values ('layla', 'x', 'viewer')`)
  const file = join(dir, 'dump')
  await dumpDatabase(source.url, file)
  // A check of the table notes who adds the rows.
  await query(
    empty.url,
    `create schema watch; create table watch.seen (who text); grant usage on schema watch to public; grant insert on watch.seen to public;
     create function watch.note(who text) returns boolean language plpgsql as $$ begin insert into watch.seen values (who); return true; end $$;
     create function watch.look() returns event_trigger language plpgsql as $$ begin
       if exists (select 1 from pg_event_trigger_ddl_commands() where object_identity = 'public.app_user') then
         alter table public.app_user add constraint watched check (watch.note(current_user)); end if; end $$;
     create event trigger look on ddl_command_end when tag in ('CREATE TABLE') execute function watch.look()`,
  )
  await restoreDatabase(empty.url, file, { log })
  expect(await query(empty.url, 'select username from app_user')).toEqual([{ username: 'layla' }])
  expect(await query(empty.url, 'select who from watch.seen')).toEqual([{ who: expect.stringMatching(/^zinc_restore_\d+$/) }])
  expect(await query(empty.url, `select 1 from pg_roles where rolname like 'zinc\\_restore\\_%'`)).toEqual([])
})

test('a row with every kind of line end inside is restored to the byte', async () => {
  const { dir, empty } = await place()
  const source = await createTestDatabase()
  onTestFinished(source.drop)
  const name = 'a\u2028b\u2029c\u0085d\re\nf\\.g'
  await query(source.url, `insert into app_user (username, password_hash, role) values (${pg.escapeLiteral(name)}, 'x', 'viewer')`)
  const file = join(dir, 'dump')
  await dumpDatabase(source.url, file)
  await restoreDatabase(empty.url, file, { log })
  expect(await query(empty.url, 'select username from app_user')).toEqual([{ username: name }])
})

test('rows that do not fit their table are no dump and leave the database as it was', async () => {
  const { dir, empty } = await place()
  const rows = await forged(dir, 'COPY "app_user" ("id", "username") FROM stdin;', 'not-a-uuid\tlayla', '\\.')
  await query(empty.url, 'create function public.theirs() returns int language sql as $$ select 1 $$')
  await expect(restoreDatabase(empty.url, rows, { log })).rejects.toMatchObject({ code: 'invalid_dump' })
  // As empty as before, so that the right dump can be restored.
  expect(await query(empty.url, `select count(*)::int as n from pg_class where relnamespace = 'public'::regnamespace`)).toEqual([{ n: 0 }])
  expect(await query(empty.url, 'select public.theirs() as theirs')).toEqual([{ theirs: 1 }])
  await restoreDatabase(empty.url, join(dir, 'whole'), { log })
})

test('a list of migrations that is none, and a folder, are no dump', async () => {
  const { dir, empty } = await place()
  const list = join(dir, 'list')
  await writeFile(list, gzipSync('-- zinc database dump 1\n-- migrations: [{"a":\n'))
  await expect(restoreDatabase(empty.url, list, { log })).rejects.toMatchObject({ code: 'invalid_dump' })
  await expect(restoreDatabase(empty.url, dir, { log })).rejects.toMatchObject({ code: 'invalid_dump' })
})
