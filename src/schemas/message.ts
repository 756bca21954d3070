import { z } from 'zod'

/**
 * The parameters of a message, for pages in other languages; null where none are known, as in rows
 * of an older zinc.
 */
export const MessageParams = z.record(z.string(), z.unknown())
/** A message by its code and parameters, without its text. */
export const Message = z.object({ code: z.string(), params: MessageParams })
