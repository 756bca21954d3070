import { DATA_CENTER_ENDPOINTS, DATA_CENTERS, type DataCenter } from '../../../facts/data-centers.ts'

/**
 * Where people of a data center sign in; shown so that they recognise theirs from the browser's
 * address line.
 */
export const accountsHost = (center: DataCenter): string => new URL(DATA_CENTER_ENDPOINTS[center].accountsUrl).host

export const consoleAddress = (center: DataCenter): string => `https://${accountsHost(center).replace('accounts.', 'api-console.')}/`

export const DATA_CENTER_CHOICES = DATA_CENTERS.map((value) => ({ value, label: accountsHost(value) }))
