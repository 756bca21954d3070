import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const ARABIC = /[؀-ۿ]/
/** A text between quotes; keys such as 'run.pause': are none. */
const TEXT = /'((?:[^'\\\n]|\\.)+)'(?!:)|`((?:[^`\\]|\\.)+)`|"([^"\n]+)"/g
/** A key of a catalogue, with what follows up to the next one. */
const ENTRY = /^( {2}| {4})'?([\w.]+)'?:.*(?:\n(?!\1\S).*)*/gm

interface Entry {
  key: string
  texts: string[]
}

const textsOf = (source: string): string[] =>
  [...source.matchAll(TEXT)].map(([, single, template, double]) =>
    (single ?? template ?? double ?? '').replaceAll(/\$\{(?:\w+\()?(\w+)\)?\}/g, '{$1}'),
  )

/** `['Invoices', 'الفواتير']`, as the modules of Zoho Books are named. */
const PAIR = /\['([^']+)', '([^']*[؀-ۿ][^']*)'\]/g

/** The entries of a file in each language; deeper keys first, to take groups apart. */
function entriesOf(source: string): { en: Map<string, string>; ar: Entry[]; rest: string[] } {
  const en = new Map<string, string>()
  const ar: Entry[] = []
  const rest = source.replace(PAIR, (_, english: string, arabic: string) => {
    en.set(english, english)
    ar.push({ key: english, texts: [arabic] })
    return ''
  })
  const take = (text: string, depth: string): string =>
    text.replace(ENTRY, (whole, indent: string, key: string) => {
      const texts = textsOf(whole)
      if (indent !== depth || texts.length === 0) return whole
      if (!ARABIC.test(whole)) {
        if (!en.has(key)) en.set(key, texts.join(' · '))
        return whole
      }
      if (texts.some((it) => !ARABIC.test(it) && /[a-z]{3} [a-z]/i.test(it))) return whole
      ar.push({ key, texts: texts.filter((it) => ARABIC.test(it)) })
      return ''
    })
  const left = take(take(rest, '    '), '  ')
  return { en, ar, rest: left.split('\n').filter((line) => ARABIC.test(line) && textsOf(line).some((it) => ARABIC.test(it))) }
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

test('docs/arabic-texts.md lists every Arabic text (`npx vitest run arabic-texts -u` renews it)', async () => {
  const files = globSync('src/{facts,messages,web}/**/*.{ts,tsx}', { exclude: ['src/web/main.tsx'] })
    .toSorted()
    .filter((file) => ARABIC.test(readFileSync(file, 'utf8')))
  const server = entriesOf(readFileSync('src/messages/en.ts', 'utf8')).en
  const sections = files.flatMap((file) => {
    const { en, ar, rest } = entriesOf(readFileSync(file, 'utf8'))
    const english = file.endsWith('messages/ar.ts') ? server : en
    const rows = [
      ...ar.map(({ key, texts }) => [key, english.get(key) ?? '', texts.join(' · ')]),
      ...rest.map((line) => [
        '',
        textsOf(line)
          .filter((it) => !ARABIC.test(it))
          .join(' · '),
        textsOf(line)
          .filter((it) => ARABIC.test(it))
          .join(' · '),
      ]),
    ]
    return rows.length === 0
      ? []
      : `## ${file}\n\n| Key | English | Arabic |\n|---|---|---|\n${rows.map((row) => `| ${row.map((it) => cell(it ?? '')).join(' | ')} |`).join('\n')}\n`
  })
  expect(sections.length).toBeGreaterThan(25)
  const intro = `# All Arabic texts

**Not yet reviewed by a native reader.** All Arabic texts of the page and of the server's messages, next to the English. \`{name}\` is
replaced by a value; forms for different numbers are separated by \`·\`. To correct a text, change it in the named file.
`
  await expect(`${intro}\n${sections.join('\n')}`).toMatchFileSnapshot('../../docs/arabic-texts.md')
})
