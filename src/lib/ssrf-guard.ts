import { lookup as systemLookup } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'
import { networkInterfaces } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import ipaddr from 'ipaddr.js'
import { Agent, buildConnector } from 'undici'

const GLOBAL_V6 = ipaddr.IPv6.parseCIDR('2000::/3')

/**
 * Whether an IP address is public: not private, local, special, embedded in another range, or this
 * machine's own.
 */
export function isPublicIp(url: string): boolean {
  if (!ipaddr.isValid(url)) return false
  // A v4 address inside a v6 one is checked as the v4 address.
  const parsed = ipaddr.process(url)
  if (parsed.range() !== 'unicast') return false
  if (parsed instanceof ipaddr.IPv6 && !parsed.match(GLOBAL_V6)) return false
  const text = parsed.toNormalizedString()
  return !Object.values(networkInterfaces()).some((own) => own?.some((it) => ipaddr.process(it.address).toNormalizedString() === text))
}

const CONNECT_MS = 5_000
/** Somebody waits for it; without a name server it would take much longer. */
const RESOLVE_MS = 2_000

/** Returns all addresses of a host name. */
export type HostResolver = (host: string) => Promise<{ address: string; family: number }[]>

export interface GuardOptions {
  /** Hosts, with or without a port, that may be reached although they are not public. */
  allowlist: readonly string[]
  /** The system's resolver unless a test passes its own. */
  resolve?: HostResolver | undefined
  /**
   * The same error for every refused address: neither its text nor its timing shows what is behind
   * the address.
   */
  blocked(): Error
}

export interface GuardedAgents extends AsyncDisposable {
  /** Whether a URL may be requested at all; a name's addresses are checked on connecting. */
  mayConnect(url: URL): boolean
  dispatcherOf(url: URL): Agent
  /**
   * The same, but also resolves the host name now; an unresolvable name passes, since it is checked
   * again on connecting.
   */
  mayReach(url: URL): Promise<boolean>
}

/**
 * Creates agents for every request to a URL from a person or a file: only public hosts on the web's
 * ports, and those of the allowlist.
 */
export function createGuardedAgents({ allowlist, resolve, blocked }: GuardOptions): GuardedAgents {
  const names = allowlist.map((entry) => URL.parse(`http://${entry}`)).filter((url) => url !== null)
  const named = allowlist.flatMap((entry, n) =>
    names[n] ? [{ host: names[n].hostname, port: /:\d+$/.test(entry) ? entry.split(':').at(-1)! : null }] : [],
  )
  const isNamed = (url: URL) => named.some(({ host, port }) => host === url.hostname && (port === null || port === portOf(url)))
  const resolveAll = resolve ?? ((host) => systemLookup(host, { all: true }))

  /**
   * Checked on connecting: all addresses of the name must be public, otherwise a name could first
   * resolve to a public one.
   */
  const guardedLookup: LookupFunction = (host, options, callback) => {
    resolveAll(host).then(
      (ips) => {
        if (ips.length === 0 || !ips.every(({ address: url }) => isPublicIp(url))) return callback(blocked(), '', 4)
        if (options.all) return callback(null, ips)
        return callback(null, ips[0]!.address, ips[0]!.family)
      },
      () => callback(blocked(), '', 4),
    )
  }
  const openLookup: LookupFunction = (host, options, callback) => {
    resolveAll(host).then(
      (ips) => (options.all ? callback(null, ips) : callback(null, ips[0]!.address, ips[0]!.family)),
      (error: Error) => callback(error, '', 4),
    )
  }
  const connectGuarded = buildConnector({ timeout: CONNECT_MS, lookup: guardedLookup, keepAlive: false })
  const agent = { connections: 8, pipelining: 1, keepAliveTimeout: 1_000 }
  const guarded = new Agent({
    ...agent,
    connect: (options, callback) =>
      connectGuarded(options, (...[error, socket]) => {
        if (error) return callback(error, null)
        // Checked again with the address that was really connected to.
        if (!isPublicIp(socket.remoteAddress ?? '')) {
          socket.destroy()
          return callback(blocked(), null)
        }
        return callback(null, socket)
      }),
  })
  const open = new Agent({ ...agent, connect: { timeout: CONNECT_MS, lookup: openLookup } })
  const agents: GuardedAgents = {
    mayConnect(url) {
      if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.username !== '' || url.password !== '') return false
      if (isNamed(url)) return true
      if (portOf(url) !== '80' && portOf(url) !== '443') return false
      // undici makes no lookup for IP literals, and the URL parser has normalised every spelling of
      // an address by now.
      const literal = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : /^[\d.]+$/.test(url.hostname) ? url.hostname : null
      if (literal !== null && !isPublicIp(literal)) return false
      return !/(^|\.)localhost\.?$/i.test(url.hostname)
    },
    dispatcherOf: (url) => (isNamed(url) ? open : guarded),
    async mayReach(url) {
      if (!agents.mayConnect(url)) return false
      if (isNamed(url)) return true
      const known = resolveAll(url.hostname.replace(/^\[|\]$/g, '')).catch(() => [])
      const ips = await Promise.race([known, pause(RESOLVE_MS, [], { ref: false })])
      return ips.every(({ address }) => isPublicIp(address))
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([guarded.destroy(), open.destroy()])
    },
  }
  return agents
}

/** The form in which an allowlist names one service of a host. */
export const hostAndPort = (url: URL): string => `${url.hostname}:${portOf(url)}`

const portOf = (url: URL): string => url.port || (url.protocol === 'https:' ? '443' : '80')
