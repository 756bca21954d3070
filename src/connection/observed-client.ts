import type { ZohoClient } from '../zoho/client.ts'
import { ConfigurationError, RateLimitedError, ZohoNotFoundError } from '../zoho/errors.ts'
import type { ConnectionStateStore } from './connection-state.ts'

/** Returns the same client, whose calls update the connection's state. */
export function withConnectionTracking(client: ZohoClient, connection: ConnectionStateStore): ZohoClient {
  // The caller must get the call's own error, even when the state cannot be saved.
  const failed = (error: unknown) => connection.failed(error).catch(() => {})
  return {
    organizationId: client.organizationId,
    serverTime: client.serverTime,
    timeZone: client.timeZone,
    setTimeZone: client.setTimeZone,
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
        // One image whose transfer always breaks off says nothing about the connection.
        if (!signal.aborted && (error instanceof ConfigurationError || error instanceof RateLimitedError)) await failed(error)
        throw error
      }
    },
  }
}
