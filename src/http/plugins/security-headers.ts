import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import fp from 'fastify-plugin'
import helmet, { type HelmetOptions } from 'helmet'
import { overHttps } from './session-cookies.ts'

/**
 * What every response forbids a browser. It allows what the page needs: its scripts, styles and
 * images.
 */
const OPTIONS: HelmetOptions = {
  contentSecurityPolicy: {
    directives: {
      'default-src': ["'none'"],
      'script-src': ["'self'"],
      'style-src': ["'self'"],
      'img-src': ["'self'", 'data:', 'blob:'],
      'connect-src': ["'self'"],
      'font-src': ["'self'"],
      'base-uri': ["'none'"],
      'form-action': ["'self'"],
      'frame-ancestors': ["'none'"],
      'upgrade-insecure-requests': null,
    },
  },
  crossOriginResourcePolicy: false,
  // Set below: only over https, and only for this host.
  strictTransportSecurity: false,
}
const HTTPS_ONLY = 'max-age=31536000'

/**
 * Helmet's headers, read once: they depend on no request, and writing the policy for each would
 * cost more than a small response.
 */
function readHeaders(): Record<string, string> {
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  helmet(OPTIONS)(request, response, (error?: unknown) => {
    if (error) throw error
  })
  return Object.fromEntries(Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)]))
}

export const securityHeaders = fp<{ publicUrl: string | undefined }>(
  async (app, { publicUrl }) => {
    const headers = readHeaders()
    app.addHook('onRequest', (request, reply, done) => {
      reply.headers(headers)
      if (overHttps(request, publicUrl)) reply.header('strict-transport-security', HTTPS_ONLY)
      done()
    })
  },
  { name: 'security-headers' },
)
