import type { ClientOptions } from 'google-gax'
import { BadGatewayError } from '../lib/errors.ts'

/** The fields that may come from Google's Secret Manager, and the names of the secrets there. */
const SECRET_NAMES = { client_id: 'ZOHO_CLIENT_ID', client_secret: 'ZOHO_CLIENT_SECRET', refresh_token: 'ZOHO_REFRESH_TOKEN' } as const
export type GcpValues = Partial<Record<keyof typeof SECRET_NAMES, string>>

/** A new version of a secret counts after this at the latest, without a restart. */
const KEPT_MS = 5 * 60_000
const PATIENCE_MS = 5_000
/**
 * While Google is away, so long between two tries: every look at the settings would wait for it
 * otherwise.
 */
const AWAY_MS = 30_000
/** gRPC: there is no such secret, or none that is enabled. */
const ABSENT = new Set([5, 9])

export interface GcpSecrets extends AsyncDisposable {
  /**
   * The latest version of each secret. Throws BadGatewayError `gcp_secrets_unavailable` when Google
   * does not give them and none are known.
   */
  read(): Promise<GcpValues>
  /** Asks Google again at the next read: Zoho refused what was read. */
  forget(): void
}

/**
 * Google's own library, loaded only when it is used: it is large. It finds its credentials as it
 * always does (GOOGLE_APPLICATION_CREDENTIALS, the machine's account); `client` overrides where it
 * asks, for a stand-in.
 */
export function createGcpSecrets({ projectId, client = {} }: { projectId: string; client?: ClientOptions }): GcpSecrets {
  let known: { values: GcpValues; until: number } | null = null
  let away: { error: unknown; until: number } | null = null
  let asking: Promise<GcpValues> | null = null
  let opened: { close(): Promise<void> } | null = null

  async function ask(): Promise<GcpValues> {
    try {
      const { SecretManagerServiceClient } = await import('@google-cloud/secret-manager')
      const manager = (opened as InstanceType<typeof SecretManagerServiceClient> | null) ?? new SecretManagerServiceClient(client)
      opened = manager
      const entries = await Promise.all(
        Object.entries(SECRET_NAMES).map(async ([field, secret]) => {
          try {
            const [version] = await manager.accessSecretVersion(
              { name: `projects/${projectId}/secrets/${secret}/versions/latest` },
              { timeout: PATIENCE_MS, maxRetries: 1 },
            )
            const data = version.payload?.data
            // People paste secrets with a line end behind them.
            return [
              field,
              data
                ? Buffer.from(data as Uint8Array)
                    .toString('utf8')
                    .trim()
                : '',
            ] as const
          } catch (error) {
            if (ABSENT.has((error as { code?: number }).code ?? -1)) return [field, ''] as const
            throw error
          }
        }),
      )
      return Object.fromEntries(entries.filter(([, value]) => value !== ''))
    } catch (cause) {
      throw new BadGatewayError('gcp_secrets_unavailable', {}, { cause })
    }
  }

  return {
    async read() {
      const now = Date.now()
      if (known && known.until > now) return known.values
      if (away && away.until > now) {
        if (known) return known.values
        throw away.error
      }
      asking ??= ask().finally(() => (asking = null))
      try {
        known = { values: await asking, until: Date.now() + KEPT_MS }
        away = null
        return known.values
      } catch (error) {
        away = { error, until: Date.now() + AWAY_MS }
        // What worked a moment ago is better than nothing while Google is away.
        if (known) return known.values
        throw error
      }
    },
    forget: () => {
      away = null
      if (known) known.until = 0
    },
    async [Symbol.asyncDispose]() {
      await opened?.close()
    },
  }
}
