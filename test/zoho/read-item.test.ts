import { expect, test } from 'vitest'
import { readItem } from '../../src/zoho/read-item.ts'

const ID = { item_id: '460000000000000001', name: 'Lamp' }

test('an absent key is undefined, a blank one is null, and an unreadable one is undefined and named', () => {
  expect(readItem(ID)).toEqual({ ...ID, custom_fields: {}, documents_readable: true, unreadable: [] })
  const blank = readItem({ ...ID, name: '', sku: '', brand: null, rate: '', category_name: '', last_modified_time: '' })
  expect(blank).toMatchObject({
    name: '',
    sku: null,
    brand: null,
    rate: null,
    category_name: null,
    last_modified_time: null,
    unreadable: [],
  })
  const wrong = { name: ['Lamp'], sku: 'x'.repeat(501), brand: {}, unit: true, rate: 'on request', status: 7, last_modified_time: 'today' }
  const read = readItem({ item_id: ID.item_id, ...wrong })
  expect(read).toEqual({ item_id: ID.item_id, custom_fields: {}, documents_readable: true, unreadable: expect.anything() })
  expect([...read.unreadable].sort()).toEqual(Object.keys(wrong).sort())
})

test('the name comes from item_name where name is absent or unreadable, and without either it is reported', () => {
  expect(readItem({ item_id: '1', item_name: 'Lamp' })).toMatchObject({ name: 'Lamp', unreadable: [] })
  expect(readItem({ item_id: '1', name: {}, item_name: 'Lamp' })).toMatchObject({ name: 'Lamp', unreadable: ['name'] })
  expect(readItem({ item_id: '1', name: 7, item_name: 'Lamp' }).name).toBe('7')
  const none = readItem({ item_id: '1' })
  expect([none.name, none.unreadable]).toEqual([undefined, ['name']])
})

test('custom fields of a row, of custom_fields[] and of custom_field_hash have the same keys', () => {
  const same = { cf_price: '$5.00', cf_price_unformatted: 5 }
  expect(readItem({ ...ID, ...same }).custom_fields).toEqual(same)
  expect(readItem({ ...ID, custom_field_hash: same }).custom_fields).toEqual(same)
  const listed = [{ customfield_id: '46', label: 'Price', api_name: 'cf_price', value: 5, value_formatted: '$5.00' }]
  expect(readItem({ ...ID, custom_fields: listed }).custom_fields).toEqual(same)
  const some = readItem({ ...ID, custom_fields: [...listed, 'nonsense', { api_name: 'cf_b', value: {} }], custom_field_hash: 'none' })
  expect(some.custom_fields).toEqual(same)
  expect(some.unreadable).toEqual(['custom_fields', 'custom_fields', 'custom_field_hash'])
  expect(readItem({ ...ID, cf_shape: { a: 1 } })).toMatchObject({ custom_fields: {}, unreadable: ['cf_shape'] })
})

test('an image is gone only by a blank id or by agreeing blanks, and is named by any other key', () => {
  const image = (row: object) => {
    const { image_document_id: id, image_signs: signs, image_candidate: candidate } = readItem({ ...ID, ...row })
    return [id, signs, candidate]
  }
  expect(image({})).toEqual([undefined, undefined, undefined])
  expect(image({ image_document_id: '', image_name: 'a.jpg' })).toEqual([null, undefined, undefined])
  expect(image({ image_name: '', image_type: '', documents: [] })).toEqual([null, undefined, undefined])
  expect(image({ image_name: '', image_type: '' })).toEqual([undefined, 'blank', undefined])
  expect(image({ image_name: 'a.jpg' })).toEqual([undefined, 'named', undefined])
  expect(image({ image_name: '', image_type: 'jpg' })).toEqual([undefined, 'named', undefined])
  expect(image({ image_name: '', image_id: '77' })).toEqual([undefined, 'named', '77'])
  const documents = [
    { document_id: '9', file_name: 'back.jpg', attachment_order: 2 },
    { document_id: '8', file_name: 'front.jpg', attachment_order: 1 },
  ]
  expect(image({ image_name: '', documents })).toEqual([undefined, 'named', '8'])
  expect(image({ image_name: '', documents: [{ document_id: '9', file_name: 'manual.pdf' }] })).toEqual([undefined, 'blank', undefined])
  expect(readItem({ ...ID, image_document_id: {} })).toMatchObject({ unreadable: ['image_document_id'] })
})

test('a list of documents is read entry by entry and says when one of them cannot be read', () => {
  const read = readItem({
    ...ID,
    documents: [{ document_id: '', file_name: 'uploading' }, null, { document_id: '5' }, { document_id: '4', attachment_order: 0 }],
  })
  expect(read.documents?.map((it) => it.document_id)).toEqual(['4', '5'])
  expect(read.documents_readable).toBe(false)
  expect(readItem({ ...ID, documents: { a: 1 } })).toMatchObject({ documents_readable: false, unreadable: ['documents'] })
  expect(readItem({ ...ID, documents: '' })).toMatchObject({ documents: [], documents_readable: true })
})
