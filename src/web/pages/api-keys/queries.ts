export const API_KEYS = '/api/v1/api-keys'
export const apiKeysKey = ['api-keys'] as const
