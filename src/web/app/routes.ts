import Bell from 'lucide-react/icons/bell'
import Blocks from 'lucide-react/icons/blocks'
import History from 'lucide-react/icons/history'
import LayoutDashboard from 'lucide-react/icons/layout-dashboard'
import Plug from 'lucide-react/icons/plug'
import Radio from 'lucide-react/icons/radio'
import ScrollText from 'lucide-react/icons/scroll-text'
import TriangleAlert from 'lucide-react/icons/triangle-alert'
import Users from 'lucide-react/icons/users'
import { HOME, type PageRoute, page } from './route.ts'
import { SHOP_ROUTES } from './shop-routes.ts'

export { HOME, NAV_GROUPS, type PageRoute, type Role } from './route.ts'

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
    least: 'operator',
  }),
  page(`${HOME}/modules`, () => import('../pages/modules/modules-page.tsx'), {
    label: 'modules',
    icon: Blocks,
    group: 'groupZoho',
    least: 'operator',
  }),
  page(`${HOME}/runs`, () => import('../pages/runs/runs-page.tsx'), { label: 'runs', icon: History, group: 'groupZoho', least: 'viewer' }),
  page(`${HOME}/runs/:id`, () => import('../pages/runs/run-page.tsx')),
  page(`${HOME}/failures`, () => import('../pages/failures/failures-page.tsx'), {
    label: 'failures',
    icon: TriangleAlert,
    group: 'groupZoho',
    least: 'viewer',
  }),
  ...SHOP_ROUTES,
  page('/users', () => import('../pages/users/users-page.tsx'), { label: 'users', icon: Users, group: 'groupAdmin', least: 'admin' }),
  page(`${HOME}/notices`, () => import('../pages/notifications/notifications-page.tsx'), {
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
