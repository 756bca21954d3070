export const MIN_PASSWORD_LENGTH = 12

/** The most common leaked passwords; longer ones are mostly these with something added. */
const COMMON = new Set(
  `password passw passwort motdepasse contrasena senha parola wachtwoord qwerty qwertyuiop qwertz qwertzuiop azerty azertyuiop asdfghjkl asdf zxcvbnm
  qazwsx qazwsxedc onetwothree admin administrator root user guest test testtest default changeme changemenow letmein letmeinnow letmeinplease welcome
  welcomeback hello helloworld iloveyou iloveyouforever loveyou princess monkey dragon football baseball basketball superman batman spiderman pokemon
  starwars michael jennifer jessica charlie jordan michelle daniel computer internet secret topsecret supersecret master masterkey sunshine shadow
  whatever trustno trustnoone nothing freedom mustang corvette liverpool chelsea arsenal manchester barcelona realmadrid abcdefgh abcdefghijkl abcabc
  correcthorsebatterystaple thisismypassword mypassword mysecretpassword passwordpassword adminadmin rootroot qwertyqwerty adminpassword
  passwordadmin zinc zincadmin zincpassword zoho zohozoho zohoadmin shop shopadmin inventory company companyname summer winter spring autumn monday
  january february december ramadan mohammed muhammad ahmed bismillah allahuakbar habibi`.split(/\s+/),
)
/** Letters that people write as digits or signs. */
const SPELLED: Record<string, string> = { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '8': 'b', '@': 'a', $: 's', '!': 'i' }
const ROWS = [
  '01234567890123456789',
  'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz',
  'qwertyuiopasdfghjklzxcvbnm',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm',
]

export type PasswordWeakness = 'too_short' | 'repeated_characters' | 'sequence' | 'common'

/** Returns why a password is too weak; null when it is acceptable. */
export function findPasswordWeakness(password: string): PasswordWeakness | null {
  if ([...password].length < MIN_PASSWORD_LENGTH) return 'too_short'
  const text = password.normalize('NFKC').toLowerCase()
  if (new Set(text).size < 5) return 'repeated_characters'
  const bare = text.replace(/[\s_.-]/g, '')
  if (ROWS.some((row) => row.includes(bare) || [...row].reverse().join('').includes(bare))) return 'sequence'
  // A common word with digits and signs around it, or twice, is what attackers try next.
  const around = /^[\d\W_]*(.*?)[\d\W_]*$/s
  const words = [bare, [...bare].map((it) => SPELLED[it] ?? it).join('')].flatMap((it) => [it, around.exec(it)?.[1] ?? it])
  words.push([...(around.exec(bare)?.[1] ?? '')].map((it) => SPELLED[it] ?? it).join(''))
  const half = (word: string) => word.slice(0, word.length / 2)
  const isCommon = words.some((word) => COMMON.has(word) || (COMMON.has(half(word)) && half(word).repeat(2) === word))
  return isCommon ? 'common' : null
}
