import type { z } from 'zod'
import type { DataCenter as DataCenterSchema } from '../../../schemas/connection.ts'

export type DataCenter = z.infer<typeof DataCenterSchema>

/** Where people of each data centre sign in; shown so that they recognise theirs from the browser's address line. */
export const ACCOUNTS_HOSTS: Record<DataCenter, string> = {
  com: 'accounts.zoho.com',
  eu: 'accounts.zoho.eu',
  in: 'accounts.zoho.in',
  'com.au': 'accounts.zoho.com.au',
  jp: 'accounts.zoho.jp',
  ca: 'accounts.zohocloud.ca',
  sa: 'accounts.zoho.sa',
  uk: 'accounts.zoho.uk',
  'com.cn': 'accounts.zoho.com.cn',
}

export const consoleAddress = (center: DataCenter): string => `https://${ACCOUNTS_HOSTS[center].replace('accounts.', 'api-console.')}/`
