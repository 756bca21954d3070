export const HOME = '/integrations/zoho'
export const ACCOUNT = '/account'
