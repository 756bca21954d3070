import { useEffect } from 'react'

const dirtyForms = new Set<symbol>()

/** While `dirty`, leaving the page asks first: by a link of ours (see `mayLeave`) or by closing the tab. */
export function useUnsavedWarning(dirty: boolean): void {
  useEffect(() => {
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
