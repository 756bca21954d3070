import { defineMessages } from '../i18n/messages.ts'
import { pluralAr, pluralEn } from '../i18n/plural.ts'

interface Count {
  count: number
}

/** What is said of many images at once, wherever they were chosen. */
export const bulkMessages = defineMessages(
  {
    title: 'Selection',
    clear: 'Clear selection',
    regenerate: 'Regenerate thumbnails',
    removed: ({ count }: Count) => pluralEn(count, { one: '# image deleted', other: '# images deleted' }),
    restored: ({ count }: Count) => pluralEn(count, { one: '# image restored', other: '# images restored' }),
    regenerating: ({ count }: Count) =>
      pluralEn(count, { one: 'Regenerating thumbnails of # image', other: 'Regenerating thumbnails of # images' }),
    someFailed: ({ count }: Count) => pluralEn(count, { one: '# failed.', other: '# failed.' }),
    openRun: 'View run',
  },
  {
    title: 'التحديد',
    clear: 'إلغاء التحديد',
    regenerate: 'إعادة إنشاء المصغّرات',
    removed: ({ count }) =>
      pluralAr(count, { one: 'حُذفت صورة واحدة', two: 'حُذفت صورتان', few: 'حُذفت # صور', many: 'حُذفت # صورة', other: 'حُذفت # صورة' }),
    restored: ({ count }) =>
      pluralAr(count, {
        one: 'استُعيدت صورة واحدة',
        two: 'استُعيدت صورتان',
        few: 'استُعيدت # صور',
        many: 'استُعيدت # صورة',
        other: 'استُعيدت # صورة',
      }),
    regenerating: ({ count }) =>
      pluralAr(count, {
        one: 'يُعاد إنشاء مصغّرات صورة واحدة',
        two: 'يُعاد إنشاء مصغّرات صورتين',
        few: 'يُعاد إنشاء مصغّرات # صور',
        many: 'يُعاد إنشاء مصغّرات # صورة',
        other: 'يُعاد إنشاء مصغّرات # صورة',
      }),
    someFailed: ({ count }) =>
      pluralAr(count, { one: 'تعذّرت واحدة.', two: 'تعذّرت اثنتان.', few: 'تعذّرت #.', many: 'تعذّرت #.', other: 'تعذّرت #.' }),
    openRun: 'عرض التشغيل',
  },
)
