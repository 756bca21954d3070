import { performance } from 'node:perf_hooks'
import { expect, test } from 'vitest'
import { createRateLimiter, lowerRate, minuteOfDay, rateAt } from '../../src/edge-client/rate-limiter.ts'
import { parseRateLimit } from '../../src/schemas/rate-limit.ts'
import { times } from '../helpers/long.ts'

test.each([
  ['400k', [{ fromMinute: 0, bytesPerSecond: 400_000 }]],
  ['1.5M', [{ fromMinute: 0, bytesPerSecond: 1_500_000 }]],
  ['0', [{ fromMinute: 0, bytesPerSecond: 0 }]],
  ['off', [{ fromMinute: 0, bytesPerSecond: null }]],
  [
    '22:00,off 08:00,256k',
    [
      { fromMinute: 480, bytesPerSecond: 256_000 },
      { fromMinute: 1320, bytesPerSecond: null },
    ],
  ],
])('the limit %s is read', (text, windows) => {
  expect(parseRateLimit(text)).toEqual(windows)
})

test.each(['', 'fast', '-1', '400kb', '8,256k', '25:00,1k', '08:60,1k', '08:00,256k 08:00,off', '08:00,256k,1', '400k 500k'])(
  'the limit %j is refused',
  (text) => {
    expect(parseRateLimit(text)).toBeUndefined()
  },
)

test('windows follow the clock of the organisation, past midnight and through daylight saving', () => {
  const windows = parseRateLimit('08:00,256k 22:00,off')!
  const muscat = (time: string) => rateAt(windows, new Date(`2026-07-01T${time}:00Z`), 'Asia/Muscat')
  // Muscat is four hours ahead of UTC.
  expect(muscat('03:59')).toBeNull()
  expect(muscat('04:00')).toBe(256_000)
  expect(muscat('17:59')).toBe(256_000)
  expect(muscat('18:00')).toBeNull()
  // Berlin puts its clock back at 03:00 on this night: 02:30 comes twice.
  expect(minuteOfDay(new Date('2026-10-25T00:30:00Z'), 'Europe/Berlin')).toBe(150)
  expect(minuteOfDay(new Date('2026-10-25T01:30:00Z'), 'Europe/Berlin')).toBe(150)
})

test('the clock of a zone is created once, however often the rate is asked for', () => {
  const original = Intl.DateTimeFormat
  let created = 0
  Intl.DateTimeFormat = new Proxy(original, {
    construct(target, args: ConstructorParameters<typeof Intl.DateTimeFormat>) {
      created++
      return new target(...args)
    },
  })
  try {
    const windows = parseRateLimit('08:00,256k 22:00,off')!
    for (let n = 0; n < 100; n++) rateAt(windows, new Date(), 'Asia/Tokyo')
    expect(created).toBe(1)
    for (let n = 0; n < 100; n++) rateAt([], new Date(), 'Asia/Dubai')
    expect(created).toBe(1)
  } finally {
    Intl.DateTimeFormat = original
  }
})

test('of two limits the lower one holds, and none is no limit', () => {
  expect([lowerRate(null, null), lowerRate(5, null), lowerRate(null, 0), lowerRate(5, 7)]).toEqual([null, 5, 0, 5])
})

test('streams that read at once keep together to the limit', async () => {
  const rate = 400_000
  const limiter = createRateLimiter({ bytesPerSecond: () => rate, signal: new AbortController().signal })
  const began = performance.now()
  let bytes = 0
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let n = 0; n < 25; n++) {
        await limiter.take(8_000)
        bytes += 8_000
      }
    }),
  )
  // Two seconds' worth, a quarter of a second of which may come at once.
  expect(bytes / rate).toBe(2)
  expect((performance.now() - began) / 1_000).toBeGreaterThan(1.7)
  expect((performance.now() - began) / 1_000).toBeLessThan(times(6, 2.6))
})

test('a limit that is lifted ends the wait of those who wait', async () => {
  let rate: number | null = 1
  const limiter = createRateLimiter({ bytesPerSecond: () => rate, signal: new AbortController().signal })
  const waiting = limiter.take(1_000_000)
  rate = null
  await waiting
})
