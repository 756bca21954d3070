export const USERS = '/api/v1/users'
export const usersKey = ['users'] as const
