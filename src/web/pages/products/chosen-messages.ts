import { defineMessages } from '../../i18n/messages.ts'
import { pluralAr, pluralEn } from '../../i18n/plural.ts'

interface Count {
  count: number
}

export const chosenMessages = defineMessages(
  {
    title: 'What is chosen',
    products: ({ count }: Count) => pluralEn(count, { one: '# product chosen', other: '# products chosen' }),
    atMost: 'No more than 1,000 go at once.',
    clear: 'Let go of all',
    export: 'Export as CSV',
    refetch: 'Fetch pictures again',
    regenerate: 'Make sizes again',
    remove: 'Delete pictures',
    noPictures: 'None of them has a picture.',
    removed: ({ count }: Count) => pluralEn(count, { one: '# picture was deleted', other: '# pictures were deleted' }),
    restored: ({ count }: Count) => pluralEn(count, { one: '# picture is back', other: '# pictures are back' }),
    refetching: ({ count }: Count) =>
      pluralEn(count, { one: 'The pictures of # product are fetched again', other: 'The pictures of # products are fetched again' }),
    regenerating: ({ count }: Count) =>
      pluralEn(count, { one: 'The sizes of # picture are made again', other: 'The sizes of # pictures are made again' }),
    someFailed: ({ count }: Count) => pluralEn(count, { one: '# could not be done.', other: '# could not be done.' }),
    openRun: 'Open the run',
  },
  {
    title: 'ما اخترته',
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
    clear: 'ألغِ الاختيار',
    export: 'تصدير CSV',
    refetch: 'أعد جلب الصور',
    regenerate: 'أعد صنع المقاسات',
    remove: 'احذف الصور',
    noPictures: 'ليس لأي منها صورة.',
    removed: ({ count }) =>
      pluralAr(count, { one: 'حُذفت صورة واحدة', two: 'حُذفت صورتان', few: 'حُذفت # صور', many: 'حُذفت # صورة', other: 'حُذفت # صورة' }),
    restored: ({ count }) =>
      pluralAr(count, { one: 'عادت صورة واحدة', two: 'عادت صورتان', few: 'عادت # صور', many: 'عادت # صورة', other: 'عادت # صورة' }),
    refetching: ({ count }) =>
      pluralAr(count, {
        one: 'تُجلب صور منتج واحد من جديد',
        two: 'تُجلب صور منتجين من جديد',
        few: 'تُجلب صور # منتجات من جديد',
        many: 'تُجلب صور # منتجًا من جديد',
        other: 'تُجلب صور # منتج من جديد',
      }),
    regenerating: ({ count }) =>
      pluralAr(count, {
        one: 'تُصنع مقاسات صورة واحدة من جديد',
        two: 'تُصنع مقاسات صورتين من جديد',
        few: 'تُصنع مقاسات # صور من جديد',
        many: 'تُصنع مقاسات # صورة من جديد',
        other: 'تُصنع مقاسات # صورة من جديد',
      }),
    someFailed: ({ count }) =>
      pluralAr(count, { one: 'تعذّرت واحدة.', two: 'تعذّرت اثنتان.', few: 'تعذّرت #.', many: 'تعذّرت #.', other: 'تعذّرت #.' }),
    openRun: 'افتح التشغيل',
  },
)
