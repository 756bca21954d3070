/** Arabic letters in all their blocks, presentation forms included (older systems export those). */
const ARABIC = /\p{Script=Arabic}/u
const LATIN = /\p{Script=Latin}/u

/**
 * Reads an English and an Arabic name out of Zoho's one name field.
 * Split at `|`, `/` or a line break when the two sides differ in script; otherwise the whole text is the name in the one language that its letters are of.
 * The text of each side is kept as given but for the blanks at the split.
 */
export function readNames(name: string): { name_en: string | null; name_ar: string | null } {
  // The surer signs first: a slash also stands in model names.
  for (const at of ['|', '\n', '/'].flatMap((sign) => [...name.matchAll(new RegExp(`\\${sign}`, 'g'))].map((match) => match.index))) {
    const sides = [name.slice(0, at), name.slice(at + 1)].map((side) => side.trim())
    const [left, right] = sides as [string, string]
    const leftArabic = ARABIC.test(left)
    const rightArabic = ARABIC.test(right)
    if (leftArabic && !rightArabic && LATIN.test(right)) return { name_en: right, name_ar: left }
    if (rightArabic && !leftArabic && LATIN.test(left)) return { name_en: left, name_ar: right }
  }
  if (name.trim() === '') return { name_en: null, name_ar: null }
  return ARABIC.test(name) ? { name_en: null, name_ar: name } : { name_en: name, name_ar: null }
}
