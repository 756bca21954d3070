import type { ClientOptions } from 'google-gax'
import { BadGatewayError } from '../lib/errors.ts'

/** The fields that may come from Google's Secret Manager, and the names of the secrets there. */
const SECRET_NAMES = { client_id: 'ZOHO_CLIENT_ID', client_secret: 'ZOHO_CLIENT_SECRET', refresh_token: 'ZOHO_REFRESH_TOKEN' } as const
export type GcpValues = Partial<Record<keyof typeof SECRET_NAMES, string>>

/** A new version of a secret is used after this at the latest, without a restart. */
const KEPT_MS = 5 * 60_000
const PATIENCE_MS = 5_000
/**
 * Pause between attempts while Google does not answer: otherwise every read of the settings would
 * wait for it.
 */
const AWAY_MS = 30_000
/** gRPC: the secret does not exist, or has no enabled version. */
const ABSENT = new Set([5, 9])

export interface GcpSecrets extends AsyncDisposable {
  /**
   * Returns the latest version of each secret. Throws BadGatewayError `gcp_secrets_unavailable`
   * when Google does not return them and none are cached.
   */
  read(): Promise<GcpValues>
  /** Makes the next read call Google again: Zoho refused the cached values. */
  forget(): void
}

/**
 * Google's own library, loaded only when it is used, since it is large. It finds its credentials as
 * usual (GOOGLE_APPLICATION_CREDENTIALS, the machine's account); `client` overrides its endpoint,
 * for a stand-in.
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
            // People paste secrets with a line end after them.
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
        // The cached values are better than none while Google does not answer.
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
