import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { expect, test } from 'vitest'

/**
 * Words that CONTRIBUTING.md replaces: a file or an exported name that uses one is found by nobody.
 */
const RETIRED =
  /^(answers?|asked|belongings|centre|chore|chores|doors?|dethrone|flaw|hurry|judged?|notices?|owed|patience|patient|pictures?|recipes?|seal|sealed|reseal|shelf|sniff|sniffed|standing|told|trouble|verdict|wish|wished)$/i
/** Contract names and usual words that only look like retired ones. */
const ALLOWED = new Set<string>([])

const wordsOf = (name: string): string[] => name.split(/[-_.]|(?<=[a-z0-9])(?=[A-Z])/)
const isRetired = (name: string): boolean => !ALLOWED.has(name) && wordsOf(name).some((word) => RETIRED.test(word))

const files = globSync('{src,test,bench,scripts}/**/*.{ts,tsx,js}', { exclude: ['src/generated/**', '**/dist/**'] })

test('no file is named with a retired word', () => {
  expect(files.length).toBeGreaterThan(300)
  expect(files.filter((file) => isRetired(basename(file)))).toEqual([])
})

test('no exported name contains a retired word', () => {
  const found = files.flatMap((file) =>
    [
      ...readFileSync(file, 'utf8').matchAll(
        /^export (?:default )?(?:async )?(?:abstract )?(?:const|let|function\*?|class|interface|type|enum) (\w+)/gm,
      ),
    ]
      .map(([, name]) => name!)
      .filter(isRetired)
      .map((name) => `${file}: ${name}`),
  )
  expect(found).toEqual([])
})

test.each(['pictureAnswer', 'SEALED_COLUMNS', 'run-standing.ts'])('%s is found', (name) => {
  expect(isRetired(name)).toBe(true)
})

test('no comment line of the server is wider than 100 columns', () => {
  const wide = globSync('src/**/*.ts', { exclude: ['src/generated/**', 'src/web/**', 'src/messages/**'] }).flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, n) => (line.length > 100 && /^\s*(\/\/|\/?\*|-- )/.test(line) ? [`${file}:${n + 1}`] : [])),
  )
  expect(wide).toEqual([])
})
