import type { ZohoClient } from '../zoho/client.ts'
import { HeldBack, NeedsPerson, NothingThere } from '../zoho/errors.ts'
import type { ConnectionKeeper } from './connection-state.ts'

/** The same client; what its calls tell about the connection is kept. */
export function watchClient(client: ZohoClient, connection: ConnectionKeeper): ZohoClient {
  // The call's own failure is what its caller must see, also when the note of it cannot be written.
  const failed = (error: unknown) => connection.failed(error).catch(() => {})
  return {
    organizationId: client.organizationId,
    async json(call, signal) {
      try {
        const answer = await client.json(call, signal)
        await connection.works()
        return answer
      } catch (error) {
        if (error instanceof NothingThere) await connection.works()
        else if (!signal.aborted) await failed(error)
        throw error
      }
    },
    async bytes(call, signal) {
      try {
        return await client.bytes(call, signal)
      } catch (error) {
        // One picture that always breaks off says nothing about the connection.
        if (!signal.aborted && (error instanceof NeedsPerson || error instanceof HeldBack)) await failed(error)
        throw error
      }
    },
  }
}
