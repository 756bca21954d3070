import { expect, test } from 'vitest'
import { fromWallClock, knownTimeZone } from '../../src/lib/local-time.ts'
import { instantIn } from '../../src/zoho/value-types.ts'

test.each([
  ['Europe/Berlin', '2026-03-29T01:59:59', '2026-03-29T00:59:59.000Z'],
  ['Europe/Berlin', '2026-03-29T02:30:00', '2026-03-29T01:30:00.000Z'], // in the gap
  ['Europe/Berlin', '2026-03-29T03:00:00', '2026-03-29T01:00:00.000Z'],
  ['Europe/Berlin', '2026-10-25T02:30:00', '2026-10-25T00:30:00.000Z'], // comes twice
  ['Europe/Berlin', '2026-10-25T03:00:00', '2026-10-25T02:00:00.000Z'],
  ['America/New_York', '2026-11-01 01:59:59', '2026-11-01T05:59:59.000Z'],
  ['America/New_York', '2026-11-01 02:00:00', '2026-11-01T07:00:00.000Z'],
  ['Asia/Baghdad', '2026-06-09', '2026-06-08T21:00:00.000Z'],
  ['Pacific/Apia', '2026-06-09T12:00', '2026-06-08T23:00:00.000Z'],
  ['Europe/Berlin', 'Jun 9, 2026 09:45', '2026-06-09T07:45:00.000Z'],
  ['Europe/Berlin', '2026-06-09T09:45:44-0400', '2026-06-09T13:45:44.000Z'],
  ['Europe/Berlin', '2026-06-09T09:45:44-04:00', '2026-06-09T13:45:44.000Z'],
  ['Europe/Berlin', '2026-06-09T09:45:44Z', '2026-06-09T09:45:44.000Z'],
])('in %s, %s is %s whatever the zone of this machine', (zone, text, expected) => {
  const before = process.env.TZ
  try {
    for (const machine of ['Asia/Tokyo', 'America/Los_Angeles', 'UTC']) {
      process.env.TZ = machine
      expect(instantIn(zone).parse(text).toISOString()).toBe(expected)
    }
  } finally {
    if (before === undefined) delete process.env.TZ
    else process.env.TZ = before
  }
})

/** Wall clock times that come twice: the first of the two is meant. */
const TWICE: Record<string, string[]> = {
  'Europe/Berlin 2026-10-25': ['2026-10-25 02:00:00', '2026-10-25 02:30:00'],
  'Australia/Lord_Howe 2026-04-05': ['2026-04-05 01:30:00'],
}

test('every hour around a change is read back from its wall clock, but for the one that comes twice', () => {
  for (const [zone, day] of [
    ['Europe/Berlin', '2026-03-29'],
    ['Europe/Berlin', '2026-10-25'],
    ['Australia/Lord_Howe', '2026-04-05'],
  ] as const) {
    const clock = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
    const earlier: string[] = []
    const start = Date.parse(`${day}T00:00:00Z`)
    for (let at = start - 86_400_000; at < start + 86_400_000; at += 1_800_000) {
      const text = clock.format(at)
      const read = fromWallClock(Date.parse(`${text.replace(' ', 'T')}Z`), zone)
      expect(clock.format(read)).toBe(text)
      if (read !== at) earlier.push(text)
    }
    expect(earlier).toEqual(TWICE[`${zone} ${day}`] ?? [])
  }
})

test('what is no time is refused, and an unknown zone is UTC', () => {
  for (const text of ['', 'soon', '2026-13-40T00:00:00']) expect(instantIn('UTC').safeParse(text).success).toBe(false)
  expect([knownTimeZone('Mars/Olympus'), knownTimeZone(null), knownTimeZone('Asia/Baghdad')]).toEqual(['UTC', 'UTC', 'Asia/Baghdad'])
})
