import { defineMessages } from '../../i18n/messages.ts'

export const itemsImportMessages = defineMessages(
  {
    title: 'Import items',
    intro: 'A JSON file of another program: a list of items, or an object by ID. Items that Zoho does not have stay until you delete them.',
    choose: 'Choose JSON file',
    dryRun: 'Only show what would change',
    ownedByZoho: 'Zoho owns these items',
    ownedByZohoText: 'A full sync then deletes those that Zoho does not have.',
    preview: 'Preview',
    start: 'Import items',
  },
  {
    title: 'استيراد أصناف',
    intro: 'ملف JSON من برنامج آخر: قائمة أصناف، أو كائن بمعرّفاتها. ما ليس في Zoho يبقى إلى أن تحذفه.',
    choose: 'اختر ملف JSON',
    dryRun: 'اعرض ما سيتغيّر فقط',
    ownedByZoho: 'هذه الأصناف لدى Zoho',
    ownedByZohoText: 'عندها تحذف المزامنة الكاملة ما ليس في Zoho.',
    preview: 'معاينة',
    start: 'استورد الأصناف',
  },
)
