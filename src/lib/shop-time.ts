/** Writes times as "1 Dec 2026, 06:57 GMT+3": in the shop's zone where it is known. */
export function createShopTime(timeZone: string | null | undefined): (iso: string) => string {
  const format = new Intl.DateTimeFormat('en-GB', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZone: timeZone ?? 'UTC',
    timeZoneName: 'short',
  })
  return (iso) => format.format(new Date(iso))
}
