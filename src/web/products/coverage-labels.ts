import type { CoverageKey } from '../../schemas/coverage.ts'
import { useMessages } from '../i18n/language.tsx'
import { defineMessages } from '../i18n/messages.ts'

const words = defineMessages(
  {
    without_picture: 'Without picture',
    failed: 'Picture failed',
    damaged: 'Picture damaged',
    no_price: 'Without price',
    price_zero: 'Price is 0',
    no_arabic_name: 'Without Arabic name',
    same_text: 'Same text in both names',
    no_sku: 'Without SKU',
    duplicate_sku: 'SKU used twice',
    inactive_but_sold_here: 'Inactive in Zoho, in stock here',
    no_barcode: 'Without barcode',
    bad_check_digit: 'Barcode with a wrong digit',
    duplicate_barcode: 'Barcode used twice',
  },
  {
    without_picture: 'بلا صورة',
    failed: 'فشلت الصورة',
    damaged: 'صورة تالفة',
    no_price: 'بلا سعر',
    price_zero: 'السعر صفر',
    no_arabic_name: 'بلا اسم عربي',
    same_text: 'النص نفسه في الاسمين',
    no_sku: 'بلا SKU',
    duplicate_sku: 'SKU مكرر',
    inactive_but_sold_here: 'غير نشط في Zoho وموجود هنا',
    no_barcode: 'بلا باركود',
    bad_check_digit: 'باركود فيه رقم خاطئ',
    duplicate_barcode: 'باركود مستعمل مرتين',
  },
)

/** What a product lacks, in words. */
export function useCoverageLabels(): Record<CoverageKey, string> {
  return useMessages(words)
}

/** In the order in which they are offered. Read off the words: the contract's own list would bring its validator into the page. */
export const COVERAGE_KEYS = Object.keys(words.en) as CoverageKey[]
