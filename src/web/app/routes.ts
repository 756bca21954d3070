import type { LucideIcon } from 'lucide-react'
import Bell from 'lucide-react/icons/bell'
import Blocks from 'lucide-react/icons/blocks'
import History from 'lucide-react/icons/history'
import LayoutDashboard from 'lucide-react/icons/layout-dashboard'
import Package from 'lucide-react/icons/package'
import Plug from 'lucide-react/icons/plug'
import Radio from 'lucide-react/icons/radio'
import ScrollText from 'lucide-react/icons/scroll-text'
import TriangleAlert from 'lucide-react/icons/triangle-alert'
import Users from 'lucide-react/icons/users'
import { type ComponentType, type LazyExoticComponent, lazy } from 'react'
import type { frameMessages } from './messages.ts'

export type Role = 'viewer' | 'operator' | 'admin'
type FrameText = keyof (typeof frameMessages)['en']

/**
 * A page: where it is and what loads it. To add one: write it under pages/, add a line here, and its name to messages.ts.
 * A page with `nav` stands in the navigation; one without belongs to the one whose path it begins with.
 */
export interface PageRoute {
  path: string
  load(): Promise<{ default: ComponentType }>
  component: LazyExoticComponent<ComponentType>
  nav?: { label: FrameText; icon: LucideIcon; group: NavGroup; least: Role }
}

export const NAV_GROUPS = ['groupZoho', 'groupCatalogue', 'groupShops', 'groupAdmin'] as const
export type NavGroup = (typeof NAV_GROUPS)[number]

const page = (path: string, load: () => Promise<{ default: ComponentType }>, nav?: PageRoute['nav']): PageRoute => ({
  path,
  load,
  component: lazy(load),
  ...(nav && { nav }),
})

export const HOME = '/integrations/zoho'

/** In the order of the navigation. Paths are below /settings. */
export const ROUTES: PageRoute[] = [
  page(HOME, () => import('../pages/overview/overview-page.tsx'), {
    label: 'overview',
    icon: LayoutDashboard,
    group: 'groupZoho',
    least: 'viewer',
  }),
  page(`${HOME}/connection`, () => import('../pages/connection/connection-page.tsx'), {
    label: 'connection',
    icon: Plug,
    group: 'groupZoho',
    least: 'viewer',
  }),
  page(`${HOME}/modules`, () => import('../pages/modules/modules-page.tsx'), {
    label: 'modules',
    icon: Blocks,
    group: 'groupZoho',
    least: 'viewer',
  }),
  page(`${HOME}/runs`, () => import('../pages/runs/runs-page.tsx'), { label: 'runs', icon: History, group: 'groupZoho', least: 'viewer' }),
  page(`${HOME}/runs/:id`, () => import('../pages/runs/run-page.tsx')),
  page(`${HOME}/failures`, () => import('../pages/failures/failures-page.tsx'), {
    label: 'failures',
    icon: TriangleAlert,
    group: 'groupZoho',
    least: 'viewer',
  }),
  page('/products', () => import('../pages/products/products-page.tsx'), {
    label: 'products',
    icon: Package,
    group: 'groupCatalogue',
    least: 'viewer',
  }),
  page('/products/:id', () => import('../pages/product/product-page.tsx')),
  page('/users', () => import('../pages/users/users-page.tsx'), { label: 'users', icon: Users, group: 'groupAdmin', least: 'admin' }),
  page(`${HOME}/notices`, () => import('../pages/notices/notices-page.tsx'), {
    label: 'notices',
    icon: Bell,
    group: 'groupAdmin',
    least: 'operator',
  }),
  page(`${HOME}/calls`, () => import('../pages/calls/calls-page.tsx'), {
    label: 'calls',
    icon: Radio,
    group: 'groupAdmin',
    least: 'operator',
  }),
  page(`${HOME}/audit`, () => import('../pages/audit/audit-page.tsx'), {
    label: 'audit',
    icon: ScrollText,
    group: 'groupAdmin',
    least: 'operator',
  }),
]
