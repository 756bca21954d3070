/**
 * What of Inventory is read in runs of its own: after each full item sync, or alone with `?only=`.
 * Each is also the kind of its runs and the purpose of their calls.
 */
export const INVENTORY_PARTS = ['stock'] as const
export type InventoryPart = (typeof INVENTORY_PARTS)[number]
