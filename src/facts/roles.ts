/**
 * Roles of users, in order of increasing rights. An edge token has none: it only gives access to
 * the photo sync of its store.
 */
export const ROLES = ['viewer', 'operator', 'admin'] as const
export type Role = (typeof ROLES)[number]

export const isAtLeast = (role: Role, least: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(least)
