import type { ZohoClient } from '../zoho/client.ts'
import { ConfigurationError, RateLimitedError, ZohoNotFoundError } from '../zoho/errors.ts'
import type { ConnectionStateStore } from './connection-state.ts'

/** The same client; what its calls tell about the connection is kept. */
export function withConnectionTracking(client: ZohoClient, connection: ConnectionStateStore): ZohoClient {
  // The call's own failure is what its caller must see, also when the note of it cannot be written.
  const failed = (error: unknown) => connection.failed(error).catch(() => {})
  return {
    organizationId: client.organizationId,
    serverTime: client.serverTime,
    async json(call, signal) {
      try {
        const response = await client.json(call, signal)
        await connection.works()
        return response
      } catch (error) {
        if (error instanceof ZohoNotFoundError) await connection.works()
        else if (!signal.aborted) await failed(error)
        throw error
      }
    },
    async bytes(call, signal) {
      try {
        return await client.bytes(call, signal)
      } catch (error) {
        // One picture that always breaks off says nothing about the connection.
        if (!signal.aborted && (error instanceof ConfigurationError || error instanceof RateLimitedError)) await failed(error)
        throw error
      }
    },
  }
}
