import { defineMessages } from '../../i18n/messages.ts'
import { pluralAr, pluralEn } from '../../i18n/plural.ts'

interface Count {
  count: number
}

export const selectionMessages = defineMessages(
  {
    products: ({ count }: Count) => pluralEn(count, { one: '# product chosen', other: '# products chosen' }),
    atMost: 'No more than 1,000 go at once.',
    export: 'Export as CSV',
    refetch: 'Fetch pictures again',
    remove: 'Delete pictures',
    noImages: 'None of them has a picture.',
    refetching: ({ count }: Count) =>
      pluralEn(count, { one: 'The pictures of # product are fetched again', other: 'The pictures of # products are fetched again' }),
  },
  {
    products: ({ count }) =>
      pluralAr(count, {
        zero: 'لا منتجات مختارة',
        one: 'منتج واحد مختار',
        two: 'منتجان مختاران',
        few: '# منتجات مختارة',
        many: '# منتجًا مختارًا',
        other: '# منتج مختار',
      }),
    atMost: 'لا يُعالج أكثر من 1,000 دفعة واحدة.',
    export: 'تصدير CSV',
    refetch: 'أعد جلب الصور',
    remove: 'احذف الصور',
    noImages: 'ليس لأي منها صورة.',
    refetching: ({ count }) =>
      pluralAr(count, {
        one: 'تُجلب صور منتج واحد من جديد',
        two: 'تُجلب صور منتجين من جديد',
        few: 'تُجلب صور # منتجات من جديد',
        many: 'تُجلب صور # منتجًا من جديد',
        other: 'تُجلب صور # منتج من جديد',
      }),
  },
)
