import { z } from 'zod'

/** The facts in a message, for pages in other languages; null where none are known, as in what an older zinc stored. */
export const MessageParams = z.record(z.string(), z.unknown())
/** A message by its code and facts, without its sentence. */
export const Message = z.object({ code: z.string(), params: MessageParams })
