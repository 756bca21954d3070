import type { ApiRoutes } from './api.ts'

/**
 * The organizations of the account: no organization_id, no page_context, no limit headers.
 * Inventory and Books return the same.
 */
export const organizationRoutes: ApiRoutes = (api, { credentials, zone }) => {
  for (const base of ['/inventory/v1', '/books/v3', '/invoice/v3']) {
    api.get(`${base}/organizations`, { config: { organization: false } }, async () => ({
      code: 0,
      message: 'success',
      organizations: [
        {
          organization_id: credentials.organizationId,
          name: 'Demo Electronics',
          is_default_org: true,
          plan_type: 12,
          fiscal_year_start_month: 0,
          currency_id: '460000000000000097',
          currency_code: 'USD',
          currency_symbol: '$',
          price_precision: 2,
          time_zone: zone,
          language_code: 'en',
          is_search360_enabled: 'true',
        },
      ],
    }))
  }
}
