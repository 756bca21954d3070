import { type FocusEvent, type RefObject, useLayoutEffect, useRef } from 'react'

/**
 * A card that is moved in the document, or taken out of it, loses the focus. Whoever works by keys
 * goes on at the same card, or at the one that
 * took its place.
 */
export function useListFocus(list: RefObject<HTMLElement | null>, ids: string[]) {
  const last = useRef<{ id: string; index: number } | null>(null)
  const order = ids.join(' ')
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another order takes the focus away
  useLayoutEffect(() => {
    if (last.current === null || (document.activeElement !== null && document.activeElement !== document.body)) return
    const same = ids.indexOf(last.current.id)
    const menus = list.current?.querySelectorAll<HTMLElement>('[data-menu]')
    menus?.[Math.min(same === -1 ? last.current.index : same, menus.length - 1)]?.focus({ preventScroll: true })
  }, [order])
  return {
    onFocus: ({ target }: FocusEvent) => {
      const id = target.closest<HTMLElement>('[data-picture]')?.dataset.picture
      if (id !== undefined) last.current = { id, index: ids.indexOf(id) }
    },
    onBlur: ({ relatedTarget }: FocusEvent) => {
      // The menu of a card hangs at the end of the document and still belongs to it.
      if (relatedTarget !== null && !list.current?.contains(relatedTarget) && !relatedTarget.closest('[role=menu]')) last.current = null
    },
  }
}
