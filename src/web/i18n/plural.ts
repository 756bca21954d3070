const rules = { en: new Intl.PluralRules('en'), ar: new Intl.PluralRules('ar') }
const numbers = { en: new Intl.NumberFormat('en'), ar: new Intl.NumberFormat('ar-u-nu-latn') }

export interface EnglishForms {
  one: string
  other: string
}
/**
 * Arabic has six forms; where `zero` or `two` is left out, `other` stands in. `few` is 3 to 10,
 * `many` 11 to 99.
 */
export interface ArabicForms {
  zero?: string
  one: string
  two?: string
  few: string
  many: string
  other: string
}

/** The form for `count`, with `#` replaced by the number. */
export const pluralEn = (count: number, forms: EnglishForms): string =>
  (rules.en.select(count) === 'one' ? forms.one : forms.other).replace('#', numbers.en.format(count))

export const pluralAr = (count: number, forms: ArabicForms): string =>
  (forms[rules.ar.select(count)] ?? forms.other).replace('#', numbers.ar.format(count))
