import { isAtLeast, type Role } from './roles.ts'

/** What an API key may do. Each operation that keys may use names one of them as `x-scope`. */
export const API_KEY_SCOPES = [
  'products:read',
  'products:write',
  'images:read',
  'images:write',
  'syncs:read',
  'syncs:run',
  'records:read',
  'records:pull',
  'exports:read',
  'settings:read',
  'webhooks:manage',
  'stores:read',
  'stores:manage',
  'photo-sync:read',
  'audit:read',
] as const
export type ApiKeyScope = (typeof API_KEY_SCOPES)[number]

/** Whether people of a role may give a key this scope: a viewer those that read, an admin all. */
export function mayGrant(role: Role, scope: ApiKeyScope): boolean {
  if (scope.endsWith(':read')) return true
  return isAtLeast(role, scope.endsWith(':manage') ? 'admin' : 'operator')
}
