/** What a pass over items counts; some of it is only for the sums of the answer. */
const COUNTED = [
  'total',
  'new',
  'updated',
  'unchanged',
  'removed',
  'restored',
  'failed',
  'images_listed_missing',
  'images_listed_stored',
  'images_to_fetch',
] as const
export type ListCounts = Record<(typeof COUNTED)[number], number>

export const countsFrom = (statistics: Record<string, number>): ListCounts =>
  Object.fromEntries(COUNTED.map((key) => [key, statistics[key] ?? 0])) as ListCounts
