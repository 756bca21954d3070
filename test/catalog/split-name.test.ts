import { expect, test } from 'vitest'
import { splitName } from '../../src/catalog/split-name.ts'

test.each([
  ['Wall Charger | شاحن حائط', 'Wall Charger', 'شاحن حائط'],
  ['شاحن حائط / Wall Charger', 'Wall Charger', 'شاحن حائط'],
  ['Wall Charger\nشاحن حائط', 'Wall Charger', 'شاحن حائط'],
  ['Cable 3.5mm/RCA', 'Cable 3.5mm/RCA', null],
  ['Cable A/B | كابل', 'Cable A/B', 'كابل'],
  ['شاحن', null, 'شاحن'],
  ['Charger', 'Charger', null],
  ['  ', null, null],
  // A measure is of no language, and a side with both scripts is no name in one.
  ['قلاية هوائية 8 - Air Fryer 220V / 67W', null, 'قلاية هوائية 8 - Air Fryer 220V / 67W'],
  ['كي بورد - Keyboard 104/105 keys', null, 'كي بورد - Keyboard 104/105 keys'],
  ['شاحن سريع / 67W', null, 'شاحن سريع / 67W'],
  ['Air Fryer | 5 لتر', null, 'Air Fryer | 5 لتر'],
  ['شاحن Anker | Anker Charger', null, 'شاحن Anker | Anker Charger'],
  ['شاحن 220V | Charger 220V', 'Charger 220V', 'شاحن 220V'],
  ['شاحن 100-240V / 2 A | Charger 100-240V', 'Charger 100-240V', 'شاحن 100-240V / 2 A'],
  ['Rice 5 kg / رز 5 كغم', 'Rice 5 kg', 'رز 5 كغم'],
  ['آيفون | iPhone15', 'iPhone15', 'آيفون'],
  // Entities are decoded once.
  ['Mouse &amp; Pad | فأرة &quot;صغيرة&quot;', 'Mouse & Pad', 'فأرة "صغيرة"'],
  ['A &amp;lt; B &#39;x&#x27; &unknown; &#0; R&D', "A &lt; B 'x' &unknown; &#0; R&D", null],
])('%j is read as English %j and Arabic %j', (name, name_en, name_ar) => {
  expect(splitName(name)).toEqual({ name_en, name_ar })
})
