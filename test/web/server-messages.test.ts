import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { SCOPES } from '../../src/connection/scopes.ts'
import { ARABIC } from '../../src/web/i18n/server-messages/ar.ts'
import { ARABIC_TEMPLATES } from '../../src/web/i18n/server-messages/ar-templates.ts'
import { pageRemedy } from '../../src/web/i18n/server-messages/en-remedies.ts'
import { translateTemplate } from '../../src/web/i18n/server-messages/translate.ts'
import { actionLabels } from '../../src/web/pages/audit/action-labels.ts'

/** Rooms whose failures reach people over HTTP; commands and the edge client speak English on a terminal. */
const ROOMS = 'auth,catalog,connection,http,images,notifications,photo-sync,pulls,runs,settings,sync,zoho'
/** Failures of ours, by the shape of where they are made. Those that only stop a start, or never leave their room, are no words for people on the page. */
const NOT_SHOWN = new Set(['StartupError', 'Event', 'RunAborted', 'ZohoNotFoundError', 'InvalidInputError'])
/** Zoho's own codes are not written where they are thrown. */
const OF_ZOHO = [
  'scope_missing',
  'unknown_organization',
  'zoho_minute_limit',
  'zoho_day_limit',
  'zoho_concurrency_limit',
  'zoho_refused',
  'not_json',
  'http_error',
]

/** Every code that stands in the server's sources as a failure, a cause of a run, a wait, or a cause in a table of words. */
function codesOfTheServer(): Map<string, string> {
  const found = new Map(OF_ZOHO.map((code) => [code, 'Zoho']))
  for (const file of [...globSync(`src/{${ROOMS}}/**/*.ts`), 'src/lib/errors.ts', 'src/lib/parse-timestamp.ts']) {
    const text = readFileSync(file, 'utf8')
    const add = (code: string | undefined) => code !== undefined && found.set(code, file)
    for (const [, kind = '', code] of text.matchAll(/new ([A-Z]\w+)\(\s*'([a-z_0-9]+)'/g)) if (!NOT_SHOWN.has(kind)) add(code)
    for (const [, code] of text.matchAll(/(?<![a-z])(?:failure_)?code: '([a-z_0-9]+)'(?! in)/g)) add(code)
    for (const [, code] of text.matchAll(/(?:super|InvalidInputError|problem)\(\s*'([a-z_0-9]+)',/g)) add(code)
    if (/failure-causes|oauth-errors/.test(file)) for (const [, code] of text.matchAll(/^ {2}([a-z_]+): (?:\{|\w+\()/gm)) add(code)
    if (file.endsWith('http/plugins/error-handler.ts')) for (const [, code] of text.matchAll(/: '(?!error'|query')([a-z_]+)',/g)) add(code)
  }
  return found
}

test('exactly the codes that the server can send have a text in Arabic', () => {
  const codes = codesOfTheServer()
  expect(codes.size).toBeGreaterThan(150)
  expect([...codes].filter(([code]) => ARABIC[code] === undefined).map(([code, file]) => `${code} (${file})`)).toEqual([])
  expect(Object.keys(ARABIC).filter((code) => !codes.has(code))).toEqual([])
  for (const { what, next } of Object.values(ARABIC)) expect(`${what} ${next ?? ''}`).toMatch(/[؀-ۿ]/)
})

/** The sources of rooms with `{}` for each value that stands in a text, and the texts as people read them. */
const shapes = (text: string): string =>
  text
    .replace(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '{}')
    .replace(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '{}')
    .replaceAll("\\'", "'")
const sourcesOf = (rooms: string): string =>
  globSync(`src/{${rooms}}/**/*.ts`)
    .map((file) => shapes(readFileSync(file, 'utf8')))
    .join('\n')

test('exactly the sentences with a figure have an Arabic one with the same figures', () => {
  const all = sourcesOf(ROOMS)
  expect(Object.keys(ARABIC_TEMPLATES).filter((english) => !all.includes(english))).toEqual([])
  for (const [english, arabic] of Object.entries(ARABIC_TEMPLATES)) {
    expect(arabic).toMatch(/[؀-ۿ]|^\{/)
    for (const [, n] of arabic.matchAll(/\{(\d)\}/g)) expect(Number(n), english).toBeLessThan(english.split('{}').length - 1)
  }
  // A code before it, or a list of failures or findings around it: what an inbox, a report or an error card shows.
  const told = [
    ...sourcesOf('sync,images,zoho,pulls').matchAll(
      /(?:'[a-z_0-9]+', |message: |problem\(\s*|problems\.push\(|reason: )`([^`\n]*\{\}[^`\n]*)`/g,
    ),
  ]
  expect(told.length).toBeGreaterThan(30)
  expect(
    told.map(([, sentence]) => sentence!).filter((sentence) => /[a-z]{3}/.test(sentence) && translateTemplate(sentence) === null),
  ).toEqual([])
})

test('a sentence keeps its figures in Arabic, with what it is about before it and a reason in it', () => {
  const plain = (text: string) => translateTemplate(text)?.replace(/[\u2068\u2069]/g, '')
  expect(plain('The picture is 9000 × 8000, more than 64000000 pixels')).toBe('قياس الصورة 9000 × 8000، أي أكثر من 64000000 بكسل')
  expect(plain('items: Zoho could not be read: Zoho did not answer properly after 5 tries: HTTP 500')).toBe(
    'الأصناف: تعذّرت القراءة من Zoho: لم تُجب Zoho كما ينبغي بعد 5 محاولات: HTTP 500',
  )
  expect(translateTemplate('Something that nobody has translated')).toBeNull()
})

test('a remedy that names an address of the API has another for the page', () => {
  const found = new Set<string>()
  for (const file of globSync(`src/{${ROOMS}}/**/*.ts`))
    for (const [, code, remedy] of readFileSync(file, 'utf8').matchAll(
      /(?<!state: )'([a-z_0-9]+)',(?:(?!'[a-z_0-9]+',|return)[^;]){0,300}?remedy:\s*['`]([^\n]*(?:GET|POST|PUT|PATCH) \/[^\n]*)/g,
    )) {
      found.add(code!)
      expect(pageRemedy(code, remedy!), `${code} (${file})`).not.toMatch(/(?:GET|POST|PUT|PATCH) \//)
    }
  expect(found.size).toBeGreaterThan(15)
  expect(pageRemedy('overloaded', 'Try again.')).toBe('Try again.')
})

test('every action of the audit log has words in both languages', () => {
  const noted = new Set<string>()
  for (const file of globSync('src/{auth,catalog,cli,connection,http,images,photo-sync,settings,sync}/**/*.ts')) {
    const text = readFileSync(file, 'utf8')
    for (const [, action] of text.matchAll(/action: (?:[^,'\n]* \? )?'([a-z_.]+)'/g)) noted.add(action!)
    for (const [, verb] of text.matchAll(/audited\(request, '([a-z_]+)'/g)) noted.add(`image.${verb}`)
  }
  expect(noted.size).toBeGreaterThan(20)
  for (const words of [actionLabels.en, actionLabels.ar])
    expect([...noted].filter((action) => (words as Record<string, string>)[action] === undefined)).toEqual([])
})

test('what each scope opens has words in Arabic', async () => {
  const { scopeMessages } = await import('../../src/web/pages/connection/scope-messages.ts')
  const { scopeMessageKey } = await import('../../src/web/pages/connection/scope-messages.ts')
  for (const [slug, scopes] of Object.entries(SCOPES))
    for (const { scope } of scopes)
      expect((scopeMessages.ar as Record<string, string>)[scopeMessageKey(scope)], `${slug} ${scope}`).toMatch(/[؀-ۿ]/)
})
