import { networkInterfaces } from 'node:os'
import createMdns from 'multicast-dns'

const SERVICE = '_zinc-edge._tcp.local'
const ASK_EVERY_MS = 30_000
const TTL_SECONDS = 120

/**
 * Announces this edge server in the local network and finds others, by multicast DNS (RFC 6762,
 * 6763). What others announce is only an address: a peer proves the key of the store afterwards.
 */
export function discoverPeers({ id, port, onFound }: { id: string; port: number; onFound(host: string, port: number): void }): Disposable {
  // Another mDNS responder on this machine shares the port.
  const mdns = createMdns({ reuseAddr: true, loopback: true })
  const instance = `${id}.${SERVICE}`
  const target = `${id}.local`
  const own = () =>
    Object.values(networkInterfaces()).flatMap((all) =>
      (all ?? []).filter((it) => it.family === 'IPv4' && !it.internal).map((it) => it.address),
    )

  function announce(): void {
    mdns.respond({
      answers: [{ name: SERVICE, type: 'PTR', ttl: TTL_SECONDS, data: instance }],
      additionals: [
        { name: instance, type: 'SRV', ttl: TTL_SECONDS, data: { target, port } },
        { name: instance, type: 'TXT', ttl: TTL_SECONDS, data: ['protocol=1'] },
        ...own().map((address) => ({ name: target, type: 'A' as const, ttl: TTL_SECONDS, data: address })),
      ],
    })
  }
  const ask = () => mdns.query({ questions: [{ name: SERVICE, type: 'PTR' }] })

  mdns.on('query', ({ questions = [] }) => {
    if (questions.some(({ name }) => name === SERVICE)) announce()
  })
  mdns.on('response', ({ answers = [], additionals = [] }, from) => {
    const records = [...answers, ...additionals]
    const isService = records.some((record) => record.type === 'PTR' && record.name === SERVICE)
    if (!isService) return
    for (const record of records)
      if (record.type === 'SRV' && record.name.endsWith(SERVICE) && record.name !== instance) onFound(from.address, record.data.port)
  })
  // A network without multicast leaves --peers.
  mdns.on('error', () => {})
  mdns.on('warning', () => {})
  const timer = setInterval(ask, ASK_EVERY_MS).unref()
  announce()
  ask()
  return {
    [Symbol.dispose]() {
      clearInterval(timer)
      mdns.destroy()
    },
  }
}
