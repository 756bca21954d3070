import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

/** A room may import from the rooms named beside it, and from the files directly under src. */
const MAY_IMPORT: Record<string, string[]> = {
  access: ['contract', 'database', 'settings'],
  catalog: ['contract', 'database', 'settings'],
  connect: ['zoho', 'settings', 'database', 'contract', 'notify', 'records'],
  contract: [],
  database: [],
  edge: ['contract'],
  feed: ['access', 'catalog', 'contract', 'photos'],
  http: ['access', 'catalog', 'connect', 'contract', 'feed', 'jobs', 'notify', 'photos', 'pull', 'records', 'settings', 'sync'],
  jobs: ['database'],
  notify: ['settings', 'database'],
  photos: ['catalog', 'contract', 'database', 'jobs'],
  pull: ['zoho', 'connect', 'contract', 'records', 'jobs', 'database'],
  records: [],
  settings: ['database'],
  simulator: [],
  sync: ['zoho', 'connect', 'catalog', 'contract', 'photos', 'pull', 'settings', 'jobs', 'records'],
  web: ['contract'],
  zoho: [],
}
/** Files directly under src that only doors may import: they know every room. */
const DOORS = ['app.ts', 'services.ts', 'serve.ts', 'server.ts', 'demo.ts', 'cli.ts', 'runner.ts']
/** Rooms that are doors, too: each of their files is one command of the command line. */
const DOOR_ROOMS = ['commands']
/** Packages that a room must never need. */
const NEVER: Record<string, RegExp> = {
  zoho: /^(fastify|@prisma|pg)/,
  simulator: /^(@prisma|pg$|undici)/,
  catalog: /^(fastify|undici)/,
  photos: /^fastify/,
  feed: /^fastify/,
  edge: /^(fastify|@prisma|pg)/,
  jobs: /^fastify/,
  pull: /^fastify/,
  records: /^(fastify|undici)/,
  sync: /^fastify/,
  connect: /^fastify/,
  contract: /^(?!zod$)/,
}

/** The imports of one file that break a rule, in words. */
function brokenRules(file: string, text: string): string[] {
  const room = file.split('/')[1] ?? ''
  const wrong: string[] = []
  if (DOOR_ROOMS.includes(room)) return []
  // The contract's schemas bring a whole validator; the page needs only their types.
  if (room === 'web' && /^import (?!type )[^']*from '[^']*\/contract\//m.test(text)) wrong.push(`${file} -> contract, more than types`)
  for (const [, target = ''] of text.matchAll(/from '([^']+)'/g)) {
    if (!target.startsWith('.')) {
      if (NEVER[room]?.test(target)) wrong.push(`${file} -> ${target}`)
      continue
    }
    const other = join(dirname(file), target).split('/')
    const inRoot = other.length === 2
    if (
      inRoot ? DOORS.includes(other[1] ?? '') : other[1] !== room && other[1] !== 'generated' && !MAY_IMPORT[room]?.includes(other[1] ?? '')
    )
      wrong.push(`${file} -> ${target}`)
    if (other[1] === 'generated' && ['zoho', 'contract', 'simulator'].includes(room)) wrong.push(`${file} -> ${target}`)
  }
  return wrong
}

test('imports point one way', () => {
  const files = globSync('src/*/**/*.{ts,tsx}', { exclude: ['src/generated/**'] })
  expect(files.length).toBeGreaterThan(30)
  expect(files.flatMap((file) => brokenRules(file, readFileSync(file, 'utf8')))).toEqual([])
})

test.each([
  ['src/zoho/client.ts', "import { x } from '../catalog/products.ts'"],
  ['src/zoho/client.ts', "import { x } from '../generated/client.ts'"],
  ['src/simulator/zoho.ts', "import { x } from '../zoho/wire.ts'"],
  ['src/sync/images.ts', "import Fastify from 'fastify'"],
  ['src/jobs/runs.ts', "import { x } from '../services.ts'"],
  ['src/web/api/zoho.ts', "import { x } from '../../access/users.ts'"],
  ['src/web/api/zoho.ts', "import { x } from '../../contract/quota.ts'"],
  ['src/photos/ingest.ts', "import { x } from '../zoho/client.ts'"],
])('a planted import in %s is found', (file, line) => {
  expect(brokenRules(file, line)).toHaveLength(1)
})

test('every key of the environment stands in .env.example and in the README, and no other', async () => {
  const { ENVIRONMENT_KEYS } = await import('../src/config.ts')
  const example = [...readFileSync('.env.example', 'utf8').matchAll(/^([A-Z0-9_]+)=/gm)].map((match) => match[1])
  expect([...example].sort()).toEqual([...ENVIRONMENT_KEYS].sort())
  const readme = readFileSync('README.md', 'utf8')
  for (const key of ENVIRONMENT_KEYS) expect(readme).toMatch(key.startsWith('S3_') ? /`S3_\*`/ : new RegExp(`\`${key}\``))
})

test('a title of a test has at most 100 characters', () => {
  const titles = /(?:^|\n)[ \t]*(?:(?:test|longTest)(?:\.\w+(?:\([^\n]*\))?)?|[\]})]+)\(\s*(['"`])((?:\\.|(?!\1).)*)\1\s*,/g
  const all = globSync('test/**/*.test.ts').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(titles)].map(([, , title = '']) => ({ file, title })),
  )
  expect(all.length).toBeGreaterThan(300)
  expect(all.filter(({ title }) => title.length > 100)).toEqual([])
})
