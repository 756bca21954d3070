import { defineMessages } from '../../i18n/messages.ts'

export const pricesMessages = defineMessages(
  {
    from: ({ from }: { from: string }) => `From ${from}`,
    range: ({ from, to }: { from: string; to: string }) => `${from} to ${to}`,
    group: ({ group }: { group: string }) => `Variants of ${group}`,
    alone: 'No other product belongs to this group.',
  },
  {
    from: ({ from }) => `من ${from}`,
    range: ({ from, to }) => `من ${from} إلى ${to}`,
    group: ({ group }) => `أشكال \u2068${group}\u2069`,
    alone: 'لا منتج آخر في هذه المجموعة.',
  },
)
