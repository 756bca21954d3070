import { useLayoutEffect } from 'react'

const dirtyForms = new Set<symbol>()

/**
 * While `dirty`, leaving the page asks first: by a link of ours (see `mayLeave`) or by closing the
 * tab.
 * A layout effect: who sees that the form is saved may leave at that moment, and must not be asked.
 */
export function useUnsavedChanges(dirty: boolean): void {
  useLayoutEffect(() => {
    if (!dirty) return
    const form = Symbol('form')
    dirtyForms.add(form)
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', warn)
    return () => {
      dirtyForms.delete(form)
      removeEventListener('beforeunload', warn)
    }
  }, [dirty])
}

/** Asked before each navigation within the page. */
export const mayLeave = (question: string): boolean => dirtyForms.size === 0 || confirm(question)
