import Archive from 'lucide-react/icons/archive'
import Bell from 'lucide-react/icons/bell'
import Blocks from 'lucide-react/icons/blocks'
import DatabaseBackup from 'lucide-react/icons/database-backup'
import History from 'lucide-react/icons/history'
import Images from 'lucide-react/icons/images'
import KeyRound from 'lucide-react/icons/key-round'
import LayoutDashboard from 'lucide-react/icons/layout-dashboard'
import Package from 'lucide-react/icons/package'
import Plug from 'lucide-react/icons/plug'
import Radio from 'lucide-react/icons/radio'
import ScrollText from 'lucide-react/icons/scroll-text'
import Store from 'lucide-react/icons/store'
import TriangleAlert from 'lucide-react/icons/triangle-alert'
import Users from 'lucide-react/icons/users'
import WebhookIcon from 'lucide-react/icons/webhook'
import { ACCOUNT, HOME, NOTIFICATIONS } from './paths.ts'
import { type PageRoute, page } from './route.ts'

/** The catalogue and what is made of it: products, images, stores, pulls. */
const SHOP_ROUTES: PageRoute[] = [
  page('/products', () => import('../pages/products/products-page.tsx'), {
    label: 'products',
    icon: Package,
    group: 'groupCatalogue',
    least: 'viewer',
  }),
  page('/products/import', () => import('../pages/products-import/products-import-page.tsx')),
  page('/products/:id', () => import('../pages/product/product-page.tsx')),
  page('/media', () => import('../pages/media/media-page.tsx'), { label: 'media', icon: Images, group: 'groupCatalogue', least: 'viewer' }),
  page('/stores', () => import('../pages/stores/stores-page.tsx'), { label: 'stores', icon: Store, group: 'groupShops', least: 'viewer' }),
  page('/stores/:id', () => import('../pages/store/store-page.tsx')),
  page('/pulls', () => import('../pages/pulls/pulls-page.tsx'), {
    label: 'pulls',
    icon: DatabaseBackup,
    group: 'groupZoho',
    least: 'operator',
  }),
  page('/pulls/compare', () => import('../pages/pull-compare/pull-compare-page.tsx')),
  page('/pulls/:session', () => import('../pages/pull/pull-page.tsx')),
]

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
  page(ACCOUNT, () => import('../pages/account/account-page.tsx')),
  page('/users', () => import('../pages/users/users-page.tsx'), { label: 'users', icon: Users, group: 'groupAdmin', least: 'admin' }),
  page('/api-keys', () => import('../pages/api-keys/api-keys-page.tsx'), {
    label: 'apiKeys',
    icon: KeyRound,
    group: 'groupAdmin',
    least: 'viewer',
  }),
  page('/webhooks', () => import('../pages/webhooks/webhooks-page.tsx'), {
    label: 'webhooks',
    icon: WebhookIcon,
    group: 'groupAdmin',
    least: 'admin',
  }),
  page('/backups', () => import('../pages/backups/backups-page.tsx'), {
    label: 'backups',
    icon: Archive,
    group: 'groupAdmin',
    least: 'operator',
  }),
  page(NOTIFICATIONS, () => import('../pages/notifications/notifications-page.tsx'), {
    label: 'notifications',
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
