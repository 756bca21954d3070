import { networkInterfaces } from 'node:os'
import ipaddr from 'ipaddr.js'

const GLOBAL_V6 = ipaddr.IPv6.parseCIDR('2000::/3')

/** Whether an address is one of the open internet: not private, local, special, embedded in another range, or this machine's own. */
export function isPublicIp(url: string): boolean {
  if (!ipaddr.isValid(url)) return false
  // A v4 address inside a v6 one counts as what it is.
  const parsed = ipaddr.process(url)
  if (parsed.range() !== 'unicast') return false
  if (parsed instanceof ipaddr.IPv6 && !parsed.match(GLOBAL_V6)) return false
  const text = parsed.toNormalizedString()
  return !Object.values(networkInterfaces()).some((own) => own?.some((it) => ipaddr.process(it.address).toNormalizedString() === text))
}
