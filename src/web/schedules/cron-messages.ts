import { defineMessages } from '../i18n/messages.ts'

export const cronMessages = defineMessages(
  {
    off: 'Manual only',
    custom: 'Custom (cron)',
    cron: 'Cron expression',
    cronHint: 'Minute, hour, day, month, weekday',
    next: 'Next runs:',
  },
  {
    off: 'يدويًا فقط',
    custom: 'مخصص (cron)',
    cron: 'تعبير cron',
    cronHint: 'الدقيقة، الساعة، اليوم، الشهر، يوم الأسبوع',
    next: 'التشغيلات التالية:',
  },
)
