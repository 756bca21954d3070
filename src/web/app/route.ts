import type { LucideIcon } from 'lucide-react'
import { type ComponentType, type LazyExoticComponent, lazy } from 'react'
import type { Role } from '../../facts/roles.ts'
import type { frameMessages } from './messages.ts'

type FrameText = keyof (typeof frameMessages)['en']

/**
 * A page: where it is and what loads it. To add one: write it under pages/, add a line here, and
 * its name to messages.ts.
 * A page with `nav` stands in the navigation; one without belongs to the one whose path it begins
 * with.
 */
export interface PageRoute {
  path: string
  load(): Promise<{ default: ComponentType }>
  component: LazyExoticComponent<ComponentType>
  nav?: { label: FrameText; icon: LucideIcon; group: NavGroup; least: Role }
}

export const NAV_GROUPS = ['groupZoho', 'groupCatalogue', 'groupShops', 'groupAdmin'] as const
export type NavGroup = (typeof NAV_GROUPS)[number]

export const page = (path: string, load: () => Promise<{ default: ComponentType }>, nav?: PageRoute['nav']): PageRoute => ({
  path,
  load,
  component: lazy(load),
  ...(nav && { nav }),
})
