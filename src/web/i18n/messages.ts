/** A text, or a function that puts values into one. */
export type Message = string | ((values: never) => string)
export type Messages = Record<string, Message>

/**
 * Arabic has the same keys, and takes the same values: a missing or differing translation is a type
 * error.
 */
type Translated<E extends Messages> = { readonly [Key in keyof E]: E[Key] extends string ? string : E[Key] }

export interface Seed<E extends Messages> {
  en: E
  ar: Translated<E>
}

/**
 * The texts of one page or component in both languages; they stand beside it and travel in its
 * chunk.
 */
export const defineMessages = <E extends Messages>(en: E, ar: Translated<E>): Seed<E> => ({ en, ar })
