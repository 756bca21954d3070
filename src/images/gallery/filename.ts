const MAX_LENGTH = 200
/**
 * Control, format (bidi overrides, zero width) and lone surrogate characters: they make one name
 * look like another.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}]/gu

/**
 * Returns an external file name as display text: the last part of a path, composed (NFC), without
 * invisible characters, at most 200 characters. It never names a file on disk; those are named by
 * their content.
 */
export function cleanFilename(name: string, otherwise: string): string {
  const last = name.normalize('NFC').replaceAll('\\', '/').split('/').at(-1) ?? ''
  const clean = last.replace(INVISIBLE, '').trim()
  if (clean === '' || clean === '.' || clean === '..') return otherwise
  return [...clean].slice(0, MAX_LENGTH).join('')
}
