import { expect, test } from 'vitest'
import { createShopTime } from '../../src/lib/shop-time.ts'

test("times are in the shop's zone with its name, and in UTC where the zone is not known", () => {
  const at = '2026-12-01T03:57:45.731Z'
  expect(createShopTime('Asia/Baghdad')(at)).toBe('1 Dec 2026, 06:57 GMT+3')
  expect(createShopTime(null)(at)).toBe('1 Dec 2026, 03:57 UTC')
})
