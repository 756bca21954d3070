import { defineMessages } from '../../i18n/messages.ts'
import { pluralAr, pluralEn } from '../../i18n/plural.ts'

export const imageStoresMessages = defineMessages(
  {
    title: 'In the stores',
    there: ({ count, of }: { count: string; of: string }) => `${count} of ${of}`,
    none: 'There is no store yet.',
    synced: 'Has it',
    outdated: 'Has the one before',
    behind: 'Not there yet',
    failed: 'Failed',
    leaving: 'Still there, will go',
    not_sold: 'Not sold there',
    reported: ({ at }: { at: string }) => `Reported ${at}`,
    attempts: ({ count }: { count: number }) => pluralEn(count, { one: '# try', other: '# tries' }),
  },
  {
    title: 'في المتاجر',
    there: ({ count, of }) => `${count} من ${of}`,
    none: 'لا متجر بعد.',
    synced: 'موجودة',
    outdated: 'لديه السابقة',
    behind: 'لم تصل بعد',
    failed: 'أخفقت',
    leaving: 'ما زالت هناك وستزول',
    not_sold: 'لا تُباع فيه',
    reported: ({ at }) => `أبلغ ${at}`,
    attempts: ({ count }) =>
      pluralAr(count, { one: 'محاولة واحدة', two: 'محاولتان', few: '# محاولات', many: '# محاولة', other: '# محاولة' }),
  },
)
