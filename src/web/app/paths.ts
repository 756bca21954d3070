export const HOME = '/integrations/zoho'
export const ACCOUNT = '/account'
export const NOTIFICATIONS = `${HOME}/notifications`
