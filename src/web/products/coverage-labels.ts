import type { CoverageKey } from '../../schemas/coverage.ts'
import { useMessages } from '../i18n/language.tsx'
import { defineMessages } from '../i18n/messages.ts'

const words = defineMessages(
  {
    without_picture: 'Without image',
    failed: 'Image failed',
    damaged: 'Image damaged',
    no_price: 'No price',
    price_zero: 'Price is 0',
    no_arabic_name: 'No Arabic name',
    same_text: 'Same text in both names',
    no_sku: 'No SKU',
    duplicate_sku: 'Duplicate SKU',
    inactive_but_sold_here: 'Inactive in Zoho, still in stock',
    no_barcode: 'No barcode',
    bad_check_digit: 'Wrong check digit in barcode',
    duplicate_barcode: 'Duplicate barcode',
    hidden_custom_fields: 'Value in a hidden field',
    not_in_price_list: 'In no price list',
  },
  {
    without_picture: 'بلا صورة',
    failed: 'فشلت الصورة',
    damaged: 'الصورة تالفة',
    no_price: 'بلا سعر',
    price_zero: 'السعر 0',
    no_arabic_name: 'بلا اسم عربي',
    same_text: 'النص نفسه في الاسمين',
    no_sku: 'بلا SKU',
    duplicate_sku: 'SKU مكرر',
    inactive_but_sold_here: 'غير نشط في Zoho ومتوفر هنا',
    no_barcode: 'بلا باركود',
    bad_check_digit: 'رقم تحقق خاطئ في الباركود',
    duplicate_barcode: 'باركود مكرر',
    hidden_custom_fields: 'قيمة في حقل مخفي',
    not_in_price_list: 'ليس في قائمة أسعار',
  },
)

/** What a product lacks, in words. */
export function useCoverageLabels(): Record<CoverageKey, string> {
  return useMessages(words)
}

/**
 * In the order in which they are offered. Read off the words: the contract's own list would bring
 * its validator into the page.
 */
export const COVERAGE_KEYS = Object.keys(words.en) as CoverageKey[]
