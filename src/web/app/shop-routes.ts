import DatabaseBackup from 'lucide-react/icons/database-backup'
import Images from 'lucide-react/icons/images'
import Package from 'lucide-react/icons/package'
import Store from 'lucide-react/icons/store'
import { type PageRoute, page } from './route.ts'

/** The catalogue and what is made of it: products, pictures, stores, pulls. */
export const SHOP_ROUTES: PageRoute[] = [
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
