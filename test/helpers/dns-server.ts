import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/**
 * What a name answers to its n-th question (from 0): addresses, or the names on the way to them.
 */
export type DnsResponder = (asked: number) => { cnames?: string[]; a?: string[]; aaaa?: string[] }

const TYPES = { A: 1, CNAME: 5, AAAA: 28 }
const labels = (name: string) =>
  Buffer.concat([...name.split('.').map((it) => Buffer.from([it.length, ...Buffer.from(it)])), Buffer.from([0])])
/** Eight groups of a v6 address; `::` stands for the missing ones. */
function sixteen(address: string): Buffer {
  const [head = '', tail = ''] = address.split('::')
  const groups = (text: string) => text.split(':').filter((it) => it !== '')
  const zeros = Array.from({ length: 8 - groups(head).length - groups(tail).length }, () => '0')
  return Buffer.from([...groups(head), ...zeros, ...groups(tail)].map((it) => it.padStart(4, '0')).join(''), 'hex')
}

/**
 * A name server on loopback with answers of an attacker's choice, and a resolver that asks only it.
 */
export async function startDnsServer(names: Record<string, DnsResponder>) {
  const asked = new Map<string, number>()
  const server = createSocket('udp4')
  server.on('message', (query, { port, address }) => {
    let at = 12
    const parts: string[] = []
    for (; query[at] !== 0; at += query[at]! + 1) parts.push(query.toString('latin1', at + 1, at + 1 + query[at]!))
    const [name, type] = [parts.join('.').toLowerCase(), query.readUInt16BE(at + 1)]
    const n = asked.get(`${name} ${type}`) ?? 0
    asked.set(`${name} ${type}`, n + 1)
    const { cnames = [], a = [], aaaa = [] } = names[name]?.(n) ?? {}
    const record = (owner: string, kind: number, data: Buffer) => {
      const head = Buffer.alloc(10)
      head.writeUInt16BE(kind, 0)
      head.writeUInt16BE(1, 2)
      head.writeUInt16BE(data.length, 8)
      return Buffer.concat([labels(owner), head, data])
    }
    const last = cnames.at(-1) ?? name
    const responses = [
      ...cnames.map((it, m) => record(m === 0 ? name : cnames[m - 1]!, TYPES.CNAME, labels(it))),
      ...(type === TYPES.A ? a.map((it) => record(last, TYPES.A, Buffer.from(it.split('.').map(Number)))) : []),
      ...(type === TYPES.AAAA ? aaaa.map((it) => record(last, TYPES.AAAA, sixteen(it))) : []),
    ]
    const head = Buffer.from(query.subarray(0, 12))
    head.writeUInt16BE(names[name] ? 0x8580 : 0x8583, 2)
    head.writeUInt16BE(responses.length, 6)
    head.writeUInt32BE(0, 8)
    server.send(Buffer.concat([head, query.subarray(12, at + 5), ...responses]), port, address)
  })
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))

  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  resolver.setServers([`127.0.0.1:${(server.address() as AddressInfo).port}`])
  return {
    asked,
    async resolve(host: string) {
      const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
      return [
        ...(four.status === 'fulfilled' ? four.value : []).map((address) => ({ address, family: 4 })),
        ...(six.status === 'fulfilled' ? six.value : []).map((address) => ({ address, family: 6 })),
      ]
    },
  }
}
