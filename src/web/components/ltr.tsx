import type { ReactNode } from 'react'

/**
 * Ids, SKUs, addresses, codes: left to right in either language, and never mixed up with the words
 * around them.
 */
export function Ltr({ children, mono = false }: { children: ReactNode; mono?: boolean }) {
  return (
    <bdi dir="ltr" className={mono ? 'mono' : undefined}>
      {children}
    </bdi>
  )
}
