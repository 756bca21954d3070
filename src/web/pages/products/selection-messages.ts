import { defineMessages } from '../../i18n/messages.ts'
import { pluralAr, pluralEn } from '../../i18n/plural.ts'

interface Count {
  count: number
}

export const selectionMessages = defineMessages(
  {
    products: ({ count }: Count) => pluralEn(count, { one: '# product selected', other: '# products selected' }),
    atMost: 'You can process up to 1,000 at a time.',
    export: 'Export as CSV',
    refetch: 'Re-download images',
    remove: 'Delete images',
    noImages: 'None of these products has an image.',
    refetching: ({ count }: Count) =>
      pluralEn(count, { one: 'Re-downloading images of # product', other: 'Re-downloading images of # products' }),
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
    atMost: 'يمكن معالجة 1,000 على الأكثر دفعة واحدة.',
    export: 'تصدير CSV',
    refetch: 'إعادة تنزيل الصور',
    remove: 'احذف الصور',
    noImages: 'ليس لأي من هذه المنتجات صورة.',
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
