import type { Message } from '../../messages/message.ts'
import { message, partInEnglish } from '../../messages/say.ts'
import { fromAmount, lastDigitUnit, toAmount } from './decimal.ts'

export interface TotalsMismatch {
  total: string
  expected: string
  /** In English; `finding` is the same for other languages. */
  reason: string
  finding: Message
}

const explained = (finding: Message) => ({ reason: partInEnglish(finding), finding })

const near = (a: bigint, b: bigint, tolerance: bigint) => (a > b ? a - b : b - a) <= tolerance

/**
 * Checks whether a document's line items add up to its header; null: they do. In Zoho's
 * `item_total` the line's own discount is already deducted. The header then deducts a discount on
 * the whole and adds tax that is not included in the prices, shipping, an adjustment and the
 * rounding to a whole amount.
 */
export function checkTotals(header: Record<string, unknown>, lines: { sum: bigint; count: number }): TotalsMismatch | null {
  const total = toAmount(header.total)
  if (total === null) return { total: String(header.total), expected: '', ...explained(message('totals.not_amount')) }
  const of = (...keys: string[]) => keys.map((key) => toAmount(header[key])).find((it) => it !== null && it !== 0n) ?? 0n
  // A line is rounded by at most half a unit of the last place.
  const tolerance = (lastDigitUnit(header.price_precision) * BigInt(lines.count + 2)) / 2n
  const subTotal = header.sub_total === undefined || header.sub_total === '' ? null : toAmount(header.sub_total)
  const discount = of('discount_total', 'discount_amount')
  const tax = of('tax_total', 'tax_amount')
  const wrong = (expected: bigint, finding: Message): TotalsMismatch => ({
    total: fromAmount(total),
    expected: fromAmount(expected),
    ...explained(finding),
  })

  // With tax-inclusive prices, one side may include the tax and the other not.
  const inclusive = header.is_inclusive_tax === true || header.is_inclusive_tax === 'true'
  if (subTotal !== null) {
    const same =
      near(lines.sum, subTotal, tolerance) ||
      (inclusive && (near(lines.sum - tax, subTotal, tolerance) || near(lines.sum + tax, subTotal, tolerance)))
    if (!same)
      return wrong(
        lines.sum,
        message('totals.sub_total', { lines: lines.count, sum: fromAmount(lines.sum), reported: fromAmount(subTotal) }),
      )
  }
  const rest = of('shipping_charge', 'shipping_charges') + of('adjustment') + of('roundoff_value', 'rounding_mode_adjustment')
  // Discounts by line are in the lines already, though the header sums them up as well.
  const discounts = header.discount_type === 'item_level' ? [0n, discount] : [discount, 0n]
  const taxes = inclusive ? [0n, tax] : [tax, 0n]
  const ways = discounts.flatMap((off) => taxes.map((on) => lines.sum - off + on + rest))
  if (ways.some((way) => near(way, total, tolerance))) return null
  return wrong(ways[0]!, message('totals.total', { lines: lines.count, sum: fromAmount(ways[0]!), reported: fromAmount(total) }))
}
