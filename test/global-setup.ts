import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import type { TestProject } from 'vitest/node'
import { openEmbeddedPostgres } from '../src/database/embedded.ts'
import { migrate } from '../src/database/migrate.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string
  }
}

/** One PostgreSQL for the whole run, in a folder of its own, with one migrated template that each test clones. */
export default async function setup(project: TestProject) {
  const dataDir = await mkdtemp(join(tmpdir(), 'zinc-test-'))
  await chmod(dataDir, 0o755) // the account that PostgreSQL runs as under root must get in
  const log = pino({ level: 'silent' })
  const server = await openEmbeddedPostgres({ dataDir, log, durable: false })
  const admin = new pg.Client(server.url)
  await admin.connect()
  await admin.query('create database template_zinc')
  await admin.end()
  await migrate(server.url.replace(/\/postgres$/, '/template_zinc'), { log })
  project.provide('postgresUrl', server.url)
  return async () => {
    await server[Symbol.asyncDispose]()
    await rm(dataDir, { recursive: true, force: true })
  }
}
