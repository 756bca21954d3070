import { expect, test } from 'vitest'
import { Decimal, hasInvalidFields } from '../../src/zoho/value-types.ts'

test.each([
  ['1,234.50', '1234.50'],
  ['1,23,456.50', '123456.50'],
  ['1 234 567', '1234567'],
  ['-1,234', '-1234'],
  ['١٬٢٣٤٫٥٠', '1234.50'],
  ['USD 12.50', '12.50'],
  ['$ 1,234', '1234'],
])('an amount written as %s is %s', (text, amount) => {
  expect(Decimal.parse(text)).toBe(amount)
})

test.each(['12,50', '0,5', '1.234,50', '1,2345', '1 234,50', ',500'])(
  '%s may be one amount or another a hundred times it, and is none',
  (text) => {
    expect([Decimal.parse(text), hasInvalidFields(text)]).toEqual([null, true])
  },
)
