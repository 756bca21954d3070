import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto'

/** How long a challenge can be used. */
const NONCE_MS = 60_000
/** Requests by one challenge. */
const MAX_COUNT = 10_000
const SCHEME = 'Zinc-Edge'
const AUTHORIZATION = /^Zinc-Edge id="([\w-]{1,64})", nonce="([\w.-]{1,200})", count=(\d{1,5}), mac="([\w-]{43})"$/
const CHALLENGE = /^Zinc-Edge nonce="([\w.-]{1,200})"$/

/** What a peer signs of its request; `path` includes the query. */
export interface SignedRequest {
  method: string
  path: string
  body: string
}

const mac = (key: string, ...parts: (string | number)[]): string => createHmac('sha256', key).update(parts.join('\n')).digest('base64url')
const equal = (a: string, b: string): boolean => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))

const requestMac = (key: string, { method, path, body }: SignedRequest, id: string, nonce: string, count: number): string =>
  mac(key, 'zinc-edge-1 request', method, path, hash('sha256', body), id, nonce, count)
const responseMac = (key: string, nonce: string, count: number, status: number): string =>
  mac(key, 'zinc-edge-1 response', nonce, count, status)

/** The proof of a client towards one peer; see docs/edge-sharing.md. */
export function createPeerProof({ id, key }: { id: string; key(): string | null }) {
  let nonce: string | null = null
  let count = 0
  return {
    /** Returns the header of the next request; null: a challenge is needed first. */
    authorize(request: SignedRequest): { header: string; verifies(status: number, proof: string | null): boolean } | null {
      const secret = key()
      if (secret === null || nonce === null || count >= MAX_COUNT) return null
      const used = { nonce, count: ++count }
      const proof = requestMac(secret, request, id, used.nonce, used.count)
      return {
        header: `${SCHEME} id="${id}", nonce="${used.nonce}", count=${used.count}, mac="${proof}"`,
        // A server that does not know the key cannot pretend to be a peer.
        verifies: (status, given) => given !== null && equal(given, responseMac(secret, used.nonce, used.count, status)),
      }
    },
    /** Takes over the challenge of a 401 response; false: there is none. */
    challenged(header: string | null): boolean {
      const [, fresh] = CHALLENGE.exec(header ?? '') ?? []
      if (fresh === undefined) return false
      nonce = fresh
      count = 0
      return true
    },
  }
}

/**
 * Checks the proofs of requests. A challenge is signed with a secret of this process, so issuing
 * one stores nothing; each number of it counts once, so a recorded request is worth nothing.
 */
export function createPeerVerifier({ key, now = () => performance.now() }: { key(): string | null; now?: () => number }) {
  const secret = randomBytes(32).toString('base64url')
  /** Numbers that were used, by challenge; only of requests that proved the key. */
  const used = new Map<string, Set<number>>()
  const nonceMac = (at: string, random: string) => mac(secret, at, random).slice(0, 22)
  const isFresh = (nonce: string): boolean => {
    const [at = '', random = '', proof = ''] = nonce.split('.')
    const age = now() - Number.parseInt(at, 36)
    return equal(proof, nonceMac(at, random)) && age >= -1 && age < NONCE_MS
  }

  return {
    /** The header of a 401 response. */
    challenge(): string {
      const at = Math.floor(now()).toString(36)
      const random = randomBytes(9).toString('base64url').replaceAll('.', '-')
      return `${SCHEME} nonce="${at}.${random}.${nonceMac(at, random)}"`
    },
    /** Returns who sent the request, and the proof of a response; null: it gets nothing. */
    verify(authorization: string | undefined, request: SignedRequest): { id: string; proof(status: number): string } | null {
      const secretKey = key()
      const [, id = '', nonce = '', number = '', proof = ''] = AUTHORIZATION.exec(authorization ?? '') ?? []
      const count = Number(number)
      if (secretKey === null || !isFresh(nonce) || count < 1 || count > MAX_COUNT) return null
      if (!equal(proof, requestMac(secretKey, request, id, nonce, count))) return null
      for (const old of used.keys()) if (!isFresh(old)) used.delete(old)
      const counts = used.get(nonce) ?? new Set()
      if (counts.has(count)) return null
      used.set(nonce, counts.add(count))
      return { id, proof: (status) => responseMac(secretKey, nonce, count, status) }
    },
  }
}
