import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * The address of a proxy that TRUSTED_PROXIES does not name; null while none was seen. For the
     * page.
     */
    untrustedProxy(): string | null
  }
}

/**
 * Reports once in the log, and to admins on the page, that requests come through a proxy that
 * TRUSTED_PROXIES does not name. All clients then have the proxy's address, so that they share its
 * limits; the header is not trusted, since any client could write it.
 */
export const untrustedProxy = fp(
  async (app) => {
    let proxy: string | null = null
    app.decorate('untrustedProxy', () => proxy)
    app.addHook('onRequest', (request, _reply, done) => {
      if (proxy === null && isForwardedByStranger(request)) {
        proxy = request.socket.remoteAddress ?? 'unknown'
        request.log.warn(
          { proxy },
          'Requests carry X-Forwarded-For from an address that is not in TRUSTED_PROXIES; all of its callers count as one. Add the address if it is your proxy',
        )
      }
      done()
    })
  },
  { name: 'untrusted-proxy' },
)

/** Fastify lists more than the peer only where the peer is trusted. */
const isForwardedByStranger = ({ headers, ips }: FastifyRequest): boolean =>
  headers['x-forwarded-for'] !== undefined && (ips === undefined || ips.length < 2)
