import { defineMessages } from '../i18n/messages.ts'
import { pluralAr, pluralEn } from '../i18n/plural.ts'

interface Count {
  count: number
}

/** What is said of many pictures at once, wherever they were chosen. */
export const bulkMessages = defineMessages(
  {
    title: 'What is chosen',
    clear: 'Let go of all',
    regenerate: 'Make sizes again',
    removed: ({ count }: Count) => pluralEn(count, { one: '# picture was deleted', other: '# pictures were deleted' }),
    restored: ({ count }: Count) => pluralEn(count, { one: '# picture is back', other: '# pictures are back' }),
    regenerating: ({ count }: Count) =>
      pluralEn(count, { one: 'The sizes of # picture are made again', other: 'The sizes of # pictures are made again' }),
    someFailed: ({ count }: Count) => pluralEn(count, { one: '# could not be done.', other: '# could not be done.' }),
    openRun: 'Open the run',
  },
  {
    title: 'ما اخترته',
    clear: 'ألغِ الاختيار',
    regenerate: 'أعد صنع المقاسات',
    removed: ({ count }) =>
      pluralAr(count, { one: 'حُذفت صورة واحدة', two: 'حُذفت صورتان', few: 'حُذفت # صور', many: 'حُذفت # صورة', other: 'حُذفت # صورة' }),
    restored: ({ count }) =>
      pluralAr(count, { one: 'عادت صورة واحدة', two: 'عادت صورتان', few: 'عادت # صور', many: 'عادت # صورة', other: 'عادت # صورة' }),
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
