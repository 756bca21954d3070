import { ARABIC_TEMPLATES } from './ar-templates.ts'

/** Keeps a name, an id or a figure in its own direction amid Arabic words. */
const isolated = (value: string): string => (value === '' ? '' : `\u2068${value}\u2069`)

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

const TEMPLATES = Object.entries(ARABIC_TEMPLATES).map(([english, arabic]) => ({
  shape: new RegExp(`^${english.split('{}').map(literally).join('(.*?)')}$`, 's'),
  arabic,
}))

/** A sentence of the server in Arabic, with its values; null when it is none of those that are known. */
export function translateTemplate(english: string): string | null {
  for (const { shape, arabic } of TEMPLATES) {
    const values = shape.exec(english)?.slice(1)
    if (values) return arabic.replace(/\{(\d)\}/g, (_, n: string) => valueInArabic(values[Number(n)] ?? ''))
  }
  // What the sentence is about may stand before it: a file, a module.
  const [, about, rest] = /^([^:]{1,200}): (.+)$/s.exec(english) ?? []
  const said = rest === undefined ? null : translateTemplate(rest)
  return said === null ? null : `${valueInArabic(about ?? '')}: ${said}`
}

const valueInArabic = (value: string): string => translateTemplate(value) ?? isolated(value)
