import type { RecordedExamples } from '../../src/http/plugins/openapi-examples.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** What is another one in each run, or must look fake: by the name of the field. */
const BY_KEY: Record<string, string> = {
  recovery_codes: 'abcd-efgh-ijkl-mnop',
  access_token: 'eyJhbGciOiJIUzI1NiJ9.example.signature',
  refresh_token: 'zr_example',
  secret: 'whsec_ZXhhbXBsZWV4YW1wbGVleGFtcGxlZXhhbXBsZWV4YQ==',
  client_secret: '••••mple',
  webhook_secret: '••••mple',
  key: 'zk_exampleexampleexampleexampleexampleexampleexa000000',
  prefix: 'zk_exampl',
  token: 'zet_exampleexampleexample',
  password: 'cedar-lamp-14-river',
  current_password: 'a-password-for-tests',
  new_password: 'cedar-lamp-15-river',
  digest: 'd41d8cd98f00b204e9800998ecf8427e',
  checksum: 'd41d8cd98f00b204e9800998ecf8427e',
  next_cursor: 'WyIyMDI2LTExLTMwVDEwOjE1OjAwLjAwMFoiXQ',
  user_agent: 'curl/8.11.0',
  otpauth_url: 'otpauth://totp/zinc:admin?secret=EXAMPLE',
}
const FIXED: [RegExp, string][] = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '2026-11-30T10:15:00.000Z'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}/g, '2026-11-30T13:15:00+0300'],
  [/sync_session_[\d_-]+\d/g, 'sync_session_2026-11-30_02-00-00'],
  [/\b\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\b/g, '2026-11-30_02-00-00'],
  [/https?:\/\/127\.0\.0\.1:\d+/g, 'https://zinc.example'],
  [/\/[\w./-]*zinc-example-\d+/g, '/var/backups/zinc'],
  [/\b[0-9a-f]{64}\b/g, '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
  [/([?&](sig|v|exp|state)=)[\w.-]+/g, '$1example'],
  [/(#)[\w-]{30,}/g, '$1example'],
]
const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g
const TOTP_CODE = /^\d{6}$/
/** Entries that an example shows of a list or of an object with many keys. */
const SHOWN = 2
const TEXT_CHARS = 400

/** Makes what a server sent fit for a document: short lists, fixed times and ids, no secret. */
export function createSanitizer() {
  const ids = new Map<string, string>()
  const idOf = (id: string) => {
    const known = ids.get(id)
    if (known !== undefined || id.startsWith('00000000-')) return known ?? id
    const made = `5f0c2a52-6b1e-4d0a-9f53-${String(ids.size + 1).padStart(12, '0')}`
    ids.set(id, made)
    return made
  }
  const text = (value: string) => FIXED.reduce((out, [from, to]) => out.replace(from, to), value.replace(UUID, idOf))
  const clean = (value: Json, key = '', parent = ''): Json => {
    // Where a secret comes from and when it changed have its name, and are none.
    if (key === 'code' && typeof value === 'string' && TOTP_CODE.test(value)) return '123456'
    if (typeof value === 'string') return (['sources', 'changed_at'].includes(parent) ? undefined : BY_KEY[key]) ?? text(value)
    if (Array.isArray(value)) return value.slice(0, SHOWN).map((it) => clean(it, key === 'recovery_codes' ? key : ''))
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([name, it]) => [text(name), clean(it, name, key)]))
    return value
  }
  return {
    json: (value: unknown) => clean(value as Json),
    text: (value: string) => text(value.slice(0, TEXT_CHARS)),
  }
}

/** Where two examples differ in form: another key or another type; null fits anything. */
export function differencesOf(a: unknown, b: unknown, at = ''): string[] {
  if (a === null || b === null || a === undefined || b === undefined) return a === undefined || b === undefined ? [at] : []
  if (Array.isArray(a) && Array.isArray(b)) return a.length === 0 || b.length === 0 ? [] : differencesOf(a[0], b[0], `${at}[]`)
  if (typeof a !== typeof b || Array.isArray(a) !== Array.isArray(b)) return [at]
  if (typeof a !== 'object') return []
  // Their keys are data: which fields an item has, and which of them changed.
  if (/\.(custom_fields|changes)$/.test(at)) return []
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>]
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((key) => differencesOf(left[key], right[key], `${at}.${key}`))
}

export const formatExamples = ({ operations, errors }: RecordedExamples): string => {
  const sorted = (of: object) => Object.fromEntries(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1)))
  return `${JSON.stringify({ operations: sorted(operations), errors: sorted(errors) }, null, 1)}\n`
}
