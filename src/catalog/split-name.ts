import { decodeEntities } from '../lib/html-entities.ts'

/** Arabic letters in all their blocks, including presentation forms, which older systems export. */
const ARABIC = /\p{Script=Arabic}/u
const LATIN = /\p{Script=Latin}/u

/** A number with its unit in one word, or a number alone: 67W, 100-240V, 3.5mm, ٥لتر. */
const AMOUNT = /^[\p{Nd}½¼¾][\p{Nd}.,:×x*+/°%"'½¼¾-]*\p{L}{0,4}[²³]?$/iu
/** Units that follow a number as a separate word. */
const UNITS = new Set(
  (
    'mg g gm gr kg lb lbs oz ml cl l lt ltr liter litre liters litres mm cm m mtr meter metre meters metres km in inch inches ft feet ' +
    'w kw kwh wh watt watts v volt volts a amp amps ah ma mah hz khz mhz ghz kb mb gb tb mp px pcs pc pack btu hp psi bar rpm db lm k x ' +
    'ملغ مجم جم غم غ غرام جرام كغ كغم كجم كيلو كيلوغرام كيلوجرام مل لتر ليتر مم ملم سم م متر كم انش إنش بوصة واط وات فولت أمبير امبير ' +
    'هرتز قطعة قطع حبة حبات'
  ).split(' '),
)

/**
 * Splits Zoho's one name field, with its HTML entities decoded, into an English and an Arabic name.
 * It is split at `|`, `/` or a line break when one side has Arabic letters and the other Latin
 * ones; otherwise the whole text is the name in its letters' language. Measures (67W, 5 kg) have no
 * language: a name is not split at a sign that separates only a measure, nor where a side has both
 * scripts. The text of each side is unchanged except for blanks at the split.
 */
export function splitName(text: string): { name_en: string | null; name_ar: string | null } {
  const name = decodeEntities(text)
  // The most reliable separators first: a slash also occurs in model names.
  for (const at of ['|', '\n', '/'].flatMap((sign) => [...name.matchAll(new RegExp(`\\${sign}`, 'g'))].map((match) => match.index))) {
    const [left, right] = [name.slice(0, at).trim(), name.slice(at + 1).trim()] as const
    const scripts = `${scriptOf(left)} ${scriptOf(right)}`
    if (scripts === 'arabic latin') return { name_en: right, name_ar: left }
    if (scripts === 'latin arabic') return { name_en: left, name_ar: right }
  }
  if (name.trim() === '') return { name_en: null, name_ar: null }
  return ARABIC.test(name) ? { name_en: null, name_ar: name } : { name_en: name, name_ar: null }
}

/** The script of a text's words, without its measures. */
function scriptOf(text: string): 'arabic' | 'latin' | 'both' | 'none' {
  const words: string[] = []
  let afterAmount = false
  for (const word of text.split(/[\s()[\],;|/]+/u)) {
    const isAmount = AMOUNT.test(word)
    if (!isAmount && !(afterAmount && UNITS.has(word.toLowerCase().replace(/[.²³]+$/u, '')))) words.push(word)
    afterAmount = isAmount
  }
  const rest = words.join(' ')
  if (ARABIC.test(rest)) return LATIN.test(rest) ? 'both' : 'arabic'
  return LATIN.test(rest) ? 'latin' : 'none'
}
