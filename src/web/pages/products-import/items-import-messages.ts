import { defineMessages } from '../../i18n/messages.ts'

export const itemsImportMessages = defineMessages(
  {
    title: 'Import items',
    intro:
      'A JSON file from another program: a list of items, or an object with items by ID. Items that are not in Zoho stay until you delete them.',
    choose: 'Choose JSON file',
    dryRun: 'Preview only, change nothing',
    ownedByZoho: 'All of these items are in Zoho',
    ownedByZohoText: 'The next full sync deletes those that are not in Zoho.',
    preview: 'Preview',
    start: 'Import items',
  },
  {
    title: 'استيراد أصناف',
    intro: 'ملف JSON من برنامج آخر: قائمة أصناف، أو كائن بمعرّفاتها. ما ليس في Zoho يبقى إلى أن تحذفه.',
    choose: 'اختر ملف JSON',
    dryRun: 'معاينة فقط دون تغيير',
    ownedByZoho: 'كل هذه الأصناف في Zoho',
    ownedByZohoText: 'تحذف المزامنة الكاملة التالية ما ليس في Zoho.',
    preview: 'معاينة',
    start: 'استورد الأصناف',
  },
)
