import { CAUSES } from '../../messages/en.ts'
import type { Entry, Params } from '../../messages/message.ts'

export interface FailureCause {
  /** What happened, in words for a shop owner. */
  cause: string
  remedy: string
  /**
   * Values for the texts where cause and remedy are those of the newest failure; null where they
   * are those of the code.
   */
  params: Params | null
  /** Whether a retry can help. */
  retryable: boolean
}

export const RETRYABLE_ITEM_CODES = ['invalid_item', 'invalid_price', 'sku_conflict']
/** Images of Zoho and of URLs can be fetched again, but a retry of these ends the same way. */
const FINAL = new Set(['image_url_blocked', 'placeholder_image', 'bad_mapping'])

/**
 * Returns the texts for a code in a stage of a run; for a code outside the catalogue, those of a
 * failure that has it.
 */
export function causeOf(
  { code, stage }: { code: string; stage: string },
  newest?: { message: string; params: Params | null },
): FailureCause {
  const known: Entry | undefined = CAUSES[`${code}.${stage}` as keyof typeof CAUSES] ?? CAUSES[code as keyof typeof CAUSES]
  const retryable = (stage === 'image' && !FINAL.has(code)) || RETRYABLE_ITEM_CODES.includes(code)
  return known
    ? { cause: String(known.message), remedy: String(known.remedy), params: null, retryable }
    : { cause: newest?.message ?? code, remedy: CAUSES.other.remedy, params: newest?.params ?? null, retryable }
}
