/** Where the API of the Zoho settings begins. */
export const ZOHO = '/api/settings/integrations/zoho'
export const AUTH = '/api/v1/auth'
