export const HOME = '/integrations/zoho'
