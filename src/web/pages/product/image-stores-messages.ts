import { defineMessages } from '../../i18n/messages.ts'
import { pluralAr, pluralEn } from '../../i18n/plural.ts'

export const imageStoresMessages = defineMessages(
  {
    title: 'Stores',
    there: ({ count, of }: { count: string; of: string }) => `${count} of ${of}`,
    none: 'No stores yet.',
    synced: 'Synced',
    outdated: 'Outdated',
    behind: 'Pending',
    failed: 'Failed',
    leaving: 'Pending removal',
    not_sold: 'Not in assortment',
    reported: ({ at }: { at: string }) => `Reported ${at}`,
    attempts: ({ count }: { count: number }) => pluralEn(count, { one: '# attempt', other: '# attempts' }),
  },
  {
    title: 'المتاجر',
    there: ({ count, of }) => `${count} من ${of}`,
    none: 'لا متاجر بعد.',
    synced: 'متزامنة',
    outdated: 'قديمة',
    behind: 'قيد الانتظار',
    failed: 'فشلت',
    leaving: 'بانتظار الحذف',
    not_sold: 'ليست في التشكيلة',
    reported: ({ at }) => `أبلغ ${at}`,
    attempts: ({ count }) =>
      pluralAr(count, { one: 'محاولة واحدة', two: 'محاولتان', few: '# محاولات', many: '# محاولة', other: '# محاولة' }),
  },
)
