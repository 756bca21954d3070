import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rawElements, rawMember, withFirstMember, withoutMember } from '../../src/lib/raw-json.ts'
import { times } from '../helpers/long.ts'

test('parts of a JSON response are cut out to the byte: long ids, zeros, exponents, escapes', () => {
  const rows = [
    String.raw`{"id":46000000000010000199, "n" : 1.50,"e":1E3,"t":"a\\\"]},{","x":{"y":[1,[2]]}}`,
    '{}',
    '{ "a" : "" }',
    '-0.0',
    '"s,]"',
  ]
  const text = `{"code":0 , "message":"success","invoices": [ ${rows.join(' ,\n')} ], "page_context":{"invoices":[]}}`
  JSON.parse(text)
  expect(rawElements(rawMember(text, 'invoices')!)).toEqual(rows)
  expect(rawMember(text, 'code')).toBe('0')
  expect(rawMember(text, 'none')).toBeUndefined()
  expect(rawElements('[]')).toEqual([])
  expect(rawElements(' [ ] ')).toEqual([])
})

test('taking a member out and putting one in leaves everything else as it was', () => {
  expect(withoutMember('{"a":1,"line_items":[{"x":"}"}],"b":1.50}', 'line_items')).toBe('{"a":1,"b":1.50}')
  expect(withoutMember('{"line_items":[], "b":2}', 'line_items')).toBe('{"b":2}')
  expect(withoutMember('{"a":1,"line_items":[]}', 'line_items')).toBe('{"a":1}')
  expect(withoutMember('{"line_items":[]}', 'line_items')).toBe('{}')
  expect(withoutMember('{"a":{"line_items":1}}', 'line_items')).toBe('{"a":{"line_items":1}}')
  expect(withFirstMember('{"q":1.0}', 'invoice_id', '42')).toBe('{"invoice_id":"42","q":1.0}')
  expect(withFirstMember('{}', 'invoice_id', '42')).toBe('{"invoice_id":"42"}')
  expect(withFirstMember('{"q":1,"invoice_id":""}', 'invoice_id', '42')).toBe('{"invoice_id":"42","q":1}')
})

test('whatever JSON is, its parts mean what JSON.parse says', () => {
  const spaced = fc.tuple(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'))
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 6 }), fc.array(spaced, { maxLength: 6 }), (object, values) => {
      const texts = values.map(([value, space]) => JSON.stringify(value, null, space))
      expect(rawElements(`[${texts.join(', ')}]`)).toEqual(texts)
      const { wanted: _, ...others } = object
      const text = JSON.stringify({ ...others, wanted: values.map(([value]) => value) }, null, 1)
      expect(JSON.parse(rawMember(text, 'wanted')!)).toEqual(JSON.parse(JSON.stringify(values.map(([value]) => value))))
      expect(JSON.parse(withoutMember(text, 'wanted'))).toEqual(JSON.parse(JSON.stringify(others)))
      expect(JSON.parse(withFirstMember(text, 'wanted', 'x'))).toEqual(JSON.parse(JSON.stringify({ ...others, wanted: 'x' })))
    }),
    { numRuns: times(300, 20_000) },
  )
})
