import type { FastifyCorsOptions } from '@fastify/cors'

/**
 * For an ERP's front end on another origin: it sends a Bearer token, so no cookies are allowed
 * (`credentials` stays off). Headers that a script may read are listed, since browsers hide all
 * others.
 */
export const corsOptions = (origins: string[]): FastifyCorsOptions => ({
  origin: origins,
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  allowedHeaders: ['Authorization', 'Content-Type', 'If-None-Match', 'If-Range', 'Range', 'X-Request-Id', 'Idempotency-Key'],
  exposedHeaders: [
    'Accept-Ranges',
    'Content-Disposition',
    'Content-Length',
    'Content-Range',
    'ETag',
    'Location',
    'Retry-After',
    'X-Checksum',
    'X-Checksum-Sha256',
    'X-Ratelimit-Limit',
    'X-Ratelimit-Remaining',
    'X-Request-Id',
    'X-Version',
  ],
  maxAge: 600,
  // Otherwise the plugin responds to an OPTIONS that is no preflight, in its own format.
  strictPreflight: false,
})
