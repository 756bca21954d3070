import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { SCOPES } from '../../src/connect/scopes.ts'
import { ARABIC } from '../../src/web/server-words/arabic.ts'

/** Rooms whose failures reach people over HTTP; commands and the edge client speak English on a terminal. */
const ROOMS = 'access,catalog,connect,feed,http,jobs,notify,photos,pull,records,settings,sync,zoho'
/** Failures of ours, by the shape of where they are made. Those that only stop a start, or never leave their room, are no words for people on the page. */
const NOT_SHOWN = new Set(['CannotStart', 'Event', 'RunStopped', 'NothingThere', 'Refused'])
/** Zoho's own codes are not written where they are thrown. */
const OF_ZOHO = ['43', '44', '45', '57', '1070', '6041', 'OAUTH_SCOPE_MISMATCH', 'NO_PERMISSION', 'not_json', 'http_error']

/** Every code that stands in the server's sources as a failure, a cause of a run, a wait, or a cause in a table of words. */
function codesOfTheServer(): Map<string, string> {
  const found = new Map(OF_ZOHO.map((code) => [code, 'Zoho']))
  for (const file of [...globSync(`src/{${ROOMS}}/**/*.ts`), 'src/errors.ts']) {
    const text = readFileSync(file, 'utf8')
    const add = (code: string | undefined) => code !== undefined && found.set(code, file)
    for (const [, kind = '', code] of text.matchAll(/new ([A-Z]\w+)\(\s*'([a-z_0-9]+)'/g)) if (!NOT_SHOWN.has(kind)) add(code)
    for (const [, code] of text.matchAll(/(?<![a-z])(?:failure_)?code: '([a-z_0-9]+)'(?! in)/g)) add(code)
    for (const [, code] of text.matchAll(/(?:super|Refused|problem)\(\s*'([a-z_0-9]+)',/g)) add(code)
    if (/failure-causes|sign-in-failures/.test(file)) for (const [, code] of text.matchAll(/^ {2}([a-z_]+): (?:\{|picture\()/gm)) add(code)
    if (file.endsWith('http/errors.ts')) for (const [, code] of text.matchAll(/: '(?!error')([a-z_]+)',/g)) add(code)
  }
  return found
}

test('every code that the server can send has its words in Arabic, and no words stand there for a code that is gone', () => {
  const codes = codesOfTheServer()
  expect(codes.size).toBeGreaterThan(150)
  expect([...codes].filter(([code]) => ARABIC[code] === undefined).map(([code, file]) => `${code} (${file})`)).toEqual([])
  expect(Object.keys(ARABIC).filter((code) => !codes.has(code))).toEqual([])
  for (const { what, next } of Object.values(ARABIC)) expect(`${what} ${next ?? ''}`).toMatch(/[؀-ۿ]/)
})

test('what each scope opens has words in Arabic', async () => {
  const { scopeMessages } = await import('../../src/web/pages/connection/scope-messages.ts')
  const { wordKeyOfScope } = await import('../../src/web/pages/connection/scope-words.ts')
  for (const [slug, scopes] of Object.entries(SCOPES))
    for (const { scope } of scopes)
      expect((scopeMessages.ar as Record<string, string>)[wordKeyOfScope(scope)], `${slug} ${scope}`).toMatch(/[؀-ۿ]/)
})
