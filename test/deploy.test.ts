import { existsSync, globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startZinc } from './helpers/zinc.ts'

test('each metric of zinc in the dashboard and the alert rules exists', async () => {
  const named = new Set(
    globSync('deploy/**/*.{json,yml}').flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/\b(?:zinc|process)_[a-z_]+/g)].map(([name]) => name.replace(/_bucket$/, '')),
    ),
  )
  const zinc = await startZinc()
  const text = await (await zinc.call('/metrics')).text()
  const known = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!)
  expect(known).toEqual(expect.arrayContaining([...named]))
  expect(named.size).toBeGreaterThan(10)
})

test('the image copies only what is there, and compose names only secrets that are made', () => {
  const copied = [...readFileSync('Dockerfile', 'utf8').matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, paths]) => paths!.split(' '))
  expect(copied.filter((path) => !existsSync(path))).toEqual([])
  const ignored = readFileSync('.dockerignore', 'utf8')
  expect(copied.filter((path) => !ignored.includes(`!${path.replace(/^\.\//, '')}\n`))).toEqual([])
  const made = [...readFileSync('scripts/make-secrets.js', 'utf8').matchAll(/make\('(\w+)'/g)].map(([, name]) => name)
  const used = new Set([...readFileSync('compose.yaml', 'utf8').matchAll(/\.\/secrets\/(\w+)/g)].map(([, name]) => name))
  expect([...used].sort()).toEqual([...made].sort())
})
