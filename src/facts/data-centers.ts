export interface Endpoints {
  accountsUrl: string
  apiUrl: string
}

/**
 * Zoho's data centers by the end of their host names: where to sign in and where the API is. A
 * table rather than a template, since Canada does not follow the pattern. It is also the list of
 * hosts that may receive a secret: `api_domain` and `accounts-server` come from outside and are
 * only compared with it. Source: Zoho Accounts, multi-DC pages; the UK's API host is unconfirmed.
 */
export const DATA_CENTER_ENDPOINTS = {
  com: { accountsUrl: 'https://accounts.zoho.com', apiUrl: 'https://www.zohoapis.com' },
  eu: { accountsUrl: 'https://accounts.zoho.eu', apiUrl: 'https://www.zohoapis.eu' },
  in: { accountsUrl: 'https://accounts.zoho.in', apiUrl: 'https://www.zohoapis.in' },
  'com.au': { accountsUrl: 'https://accounts.zoho.com.au', apiUrl: 'https://www.zohoapis.com.au' },
  jp: { accountsUrl: 'https://accounts.zoho.jp', apiUrl: 'https://www.zohoapis.jp' },
  ca: { accountsUrl: 'https://accounts.zohocloud.ca', apiUrl: 'https://www.zohoapis.ca' },
  sa: { accountsUrl: 'https://accounts.zoho.sa', apiUrl: 'https://www.zohoapis.sa' },
  uk: { accountsUrl: 'https://accounts.zoho.uk', apiUrl: 'https://www.zohoapis.uk' },
  'com.cn': { accountsUrl: 'https://accounts.zoho.com.cn', apiUrl: 'https://www.zohoapis.com.cn' },
} as const satisfies Record<string, Endpoints>

export type DataCenter = keyof typeof DATA_CENTER_ENDPOINTS
export const DATA_CENTERS = Object.keys(DATA_CENTER_ENDPOINTS) as [DataCenter, ...DataCenter[]]
