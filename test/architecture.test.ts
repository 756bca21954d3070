import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

/**
 * A folder may import from the folders named beside it and from `lib/`; see docs and architecture
 * for the reasons.
 */
const MAY_IMPORT: Record<string, string[]> = {
  auth: ['schemas', 'database', 'settings'],
  backup: ['database', 'images', 'queue', 'runs', 'schemas', 'settings'],
  catalog: ['schemas', 'database', 'settings'],
  client: [],
  connection: ['zoho', 'settings', 'database', 'schemas', 'notifications', 'queue'],
  database: [],
  facts: [],
  'edge-client': ['schemas'],
  http: [
    'auth',
    'backup',
    'catalog',
    'connection',
    'database',
    'images',
    'notifications',
    'photo-sync',
    'pulls',
    'runs',
    'schemas',
    'settings',
    'sync',
    'webhooks',
  ],
  images: ['catalog', 'schemas', 'database', 'queue', 'runs'],
  lib: ['messages'],
  messages: [],
  notifications: ['settings', 'database', 'queue', 'schemas'],
  'photo-sync': ['auth', 'catalog', 'database', 'images', 'schemas', 'settings'],
  pulls: ['zoho', 'connection', 'schemas', 'runs', 'database'],
  queue: ['database', 'runs'],
  runs: ['database'],
  schemas: [],
  settings: ['database'],
  sync: ['zoho', 'connection', 'catalog', 'database', 'images', 'pulls', 'runs', 'schemas', 'settings'],
  telemetry: [],
  web: ['schemas'],
  webhooks: ['schemas', 'database', 'settings', 'notifications', 'queue'],
  zoho: [],
  'zoho-simulator': [],
}
/** Folders that import nothing of ours, not even `lib/`. */
const ALONE = ['facts', 'messages', 'schemas', 'zoho-simulator']
/** Files directly under src that compose the program: only entry points may import them. */
const ENTRY_POINTS = ['app.ts', 'services.ts', 'start-server.ts', 'server.ts', 'demo.ts', 'index.ts', 'overrides.ts']
/** Folders of entry points: each file of the command line is one group of commands. */
const ENTRY_FOLDERS = ['cli']
/** Packages that a folder must never need. */
const NEVER: Record<string, RegExp> = {
  auth: /^fastify/,
  catalog: /^(fastify|undici)/,
  // It is packed alone, for browsers, too.
  client: /./,
  connection: /^fastify/,
  'edge-client': /^(fastify|@prisma|pg)/,
  images: /^fastify/,
  lib: /^(fastify|@prisma)/,
  'photo-sync': /^fastify/,
  pulls: /^fastify/,
  runs: /^fastify/,
  schemas: /^(?!zod$)/,
  settings: /^fastify/,
  sync: /^fastify/,
  zoho: /^(fastify|@prisma|pg)/,
  'zoho-simulator': /^(@prisma|pg$|undici)/,
}

/** The imports of one file that break a rule. */
function brokenRules(file: string, text: string): string[] {
  const folder = file.split('/')[1] ?? ''
  const wrong: string[] = []
  if (ENTRY_FOLDERS.includes(folder)) return []
  // The schemas bring a whole validator; the page needs only their types.
  if (folder === 'web' && /^import (?!type )[^']*from '[^']*\/schemas\//m.test(text)) wrong.push(`${file} -> schemas, more than types`)
  for (const [, target = ''] of text.matchAll(/from '([^']+)'/g)) {
    if (!target.startsWith('.')) {
      if (NEVER[folder]?.test(target)) wrong.push(`${file} -> ${target}`)
      continue
    }
    const [, other = '', ...rest] = join(dirname(file), target).split('/')
    if (other === folder) continue
    const allowed =
      rest.length === 0
        ? other === 'config.ts' && !['lib', ...ALONE].includes(folder)
        : other === 'generated'
          ? !['zoho', 'edge-client', 'lib', ...ALONE].includes(folder)
          : ((other === 'lib' || other === 'messages') && !ALONE.includes(folder)) ||
            (other === 'facts' && folder !== 'zoho-simulator') ||
            MAY_IMPORT[folder]?.includes(other)
    if (!allowed) wrong.push(`${file} -> ${target}`)
  }
  return wrong
}

test('imports point one way', () => {
  const files = globSync('src/*/**/*.{ts,tsx}', { exclude: ['src/generated/**'] })
  expect(files.length).toBeGreaterThan(30)
  expect(files.flatMap((file) => brokenRules(file, readFileSync(file, 'utf8')))).toEqual([])
})

test.each([
  ['src/zoho/client.ts', "import { x } from '../catalog/find-product.ts'"],
  ['src/zoho/client.ts', "import { x } from '../generated/client.ts'"],
  ['src/zoho-simulator/simulator.ts', "import { x } from '../zoho/schemas.ts'"],
  ['src/sync/images/sync-images.ts', "import Fastify from 'fastify'"],
  ['src/runs/runs.ts', "import { x } from '../services.ts'"],
  ['src/lib/format-csv.ts', "import { x } from '../database/client.ts'"],
  ['src/schemas/runs.ts', "import { x } from '../lib/errors.ts'"],
  ['src/web/api/zoho.ts', "import { x } from '../../auth/users.ts'"],
  ['src/web/api/zoho.ts', "import { x } from '../../schemas/quota.ts'"],
  ['src/images/processing/ingest.ts', "import { x } from '../../zoho/client.ts'"],
])('a planted import in %s is found', (file, line) => {
  expect(brokenRules(file, line)).toHaveLength(1)
})

test('the root of src holds entry points and composition only', () => {
  const composition = ['config.ts', ...ENTRY_POINTS]
  expect(
    globSync('src/*.{ts,tsx,js}')
      .map((file) => file.slice('src/'.length))
      .filter((file) => !composition.includes(file)),
  ).toEqual([])
})

test('.env.example and docs/configuration.md list exactly the environment keys that zinc reads', async () => {
  const { ENVIRONMENT_KEYS } = await import('../src/config.ts')
  const example = [...readFileSync('.env.example', 'utf8').matchAll(/^([A-Z0-9_]+)=/gm)].map((match) => match[1])
  expect([...example].sort()).toEqual([...ENVIRONMENT_KEYS].sort())
  const rows = [...readFileSync('docs/configuration.md', 'utf8').matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map((match) => match[1])
  expect([...rows].sort()).toEqual([...ENVIRONMENT_KEYS].sort())
})

test('.env.example and docs/configuration.md name the data centers of the table', async () => {
  const { DATA_CENTERS } = await import('../src/facts/data-centers.ts')
  expect(readFileSync('.env.example', 'utf8')).toContain(`# ${DATA_CENTERS.join(' | ')}. `)
  const row = /^\| `ZOHO_DATA_CENTER` .*$/m.exec(readFileSync('docs/configuration.md', 'utf8'))?.[0] ?? ''
  expect(DATA_CENTERS.filter((it) => !row.includes(`\`${it}\``))).toEqual([])
})

test('a title of a test has at most 100 characters', () => {
  const titles = /(?:^|\n)[ \t]*(?:(?:test|longTest)(?:\.\w+(?:\([^\n]*\))?)?|[\]})]+)\(\s*(['"`])((?:\\.|(?!\1).)*)\1\s*,/g
  const all = globSync('test/**/*.test.ts').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(titles)].map(([, , title = '']) => ({ file, title })),
  )
  expect(all.length).toBeGreaterThan(300)
  expect(all.filter(({ title }) => title.length > 100)).toEqual([])
})
