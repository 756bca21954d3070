import { expect, test } from 'vitest'
import { readNames } from '../../src/catalog/names.ts'

test.each([
  ['Wall Charger | شاحن حائط', 'Wall Charger', 'شاحن حائط'],
  ['شاحن حائط / Wall Charger', 'Wall Charger', 'شاحن حائط'],
  ['Wall Charger\nشاحن حائط', 'Wall Charger', 'شاحن حائط'],
  ['Cable 3.5mm/RCA', 'Cable 3.5mm/RCA', null],
  ['Cable A/B | كابل', 'Cable A/B', 'كابل'],
  ['شاحن', null, 'شاحن'],
  ['Charger', 'Charger', null],
  ['  ', null, null],
])('%j is read as English %j and Arabic %j', (name, name_en, name_ar) => {
  expect(readNames(name)).toEqual({ name_en, name_ar })
})
