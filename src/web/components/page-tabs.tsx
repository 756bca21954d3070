import { Tabs } from '@mantine/core'
import type { ReactNode } from 'react'
import { useSearchParams } from 'wouter'

export interface PageTab<Key extends string> {
  key: Key
  label: ReactNode
  content(): ReactNode
}

interface PageTabsProps<Key extends string> {
  label: string
  tabs: PageTab<Key>[]
  /** Of the address: what belongs to the whole page. */
  keep?: string[]
}

/**
 * Parts of a page beside each other; which one is open is in the address (`?tab=`), the first one
 * without it. Only the open one exists.
 */
export function PageTabs<Key extends string>({ label, tabs, keep = [] }: PageTabsProps<Key>) {
  const [params, setParams] = useSearchParams()
  const named = params.get('tab')
  const open = tabs.find(({ key }) => key === named) ?? tabs[0]
  if (!open) return null
  const change = (key: string | null) => {
    // What the other tab had in the address, a filter for example, is not this one's.
    const kept = [...params].filter(([name]) => keep.includes(name))
    setParams([...(key === null || key === tabs[0]?.key ? [] : [['tab', key] as [string, string]]), ...kept], { replace: true })
  }
  return (
    <Tabs value={open.key} onChange={change} keepMounted={false} className="page-tabs">
      <Tabs.List aria-label={label}>
        {tabs.map(({ key, label: text }) => (
          <Tabs.Tab key={key} value={key}>
            {text}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value={open.key}>{open.content()}</Tabs.Panel>
    </Tabs>
  )
}
