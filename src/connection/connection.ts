import { join } from 'node:path'
import type { ClientOptions } from 'google-gax'
import type { Logger } from 'pino'
import type { Dispatcher } from 'undici'
import type { Config } from '../config.ts'
import type { Database, Db } from '../database/client.ts'
import { DATA_CENTER_ENDPOINTS } from '../facts/data-centers.ts'
import type { Clock } from '../lib/clock.ts'
import { AppError, ConflictError, NotFoundError, ServiceUnavailableError } from '../lib/errors.ts'
import type { JobQueue } from '../queue/queue.ts'
import type { TestResult } from '../schemas/connection.ts'
import type { Actor } from '../settings/audit-log.ts'
import type { Encryption } from '../settings/encryption.ts'
import { createGcpSecrets } from '../settings/gcp-secret-manager.ts'
import { createNotificationSettings } from '../settings/notification-settings.ts'
import { createSettingStore } from '../settings/setting-store.ts'
import { importZohoConfigOnce } from '../settings/zoho-config-file.ts'
import { createZohoSettings } from '../settings/zoho-settings.ts'
import { createCircuitBreaker } from '../zoho/circuit-breaker.ts'
import type { TimeLimits, ZohoClient } from '../zoho/client.ts'
import type { Organization } from '../zoho/organizations.ts'
import type { RateLimitWait } from '../zoho/rate-limiter.ts'
import { createConnectionStateStore } from './connection-state.ts'
import { createConsentLinks } from './consent-links.ts'
import { createClient, createOAuthClient, type DataCenterEndpoints } from './create-client.ts'
import { createOAuthFlow, oauthClient } from './oauth-flow.ts'
import { createOrganizations, knownOrganization } from './organizations.ts'
import { testConnection } from './test-connection.ts'
import { createTestHistory } from './test-history.ts'
import { testWebhook } from './test-webhook.ts'

export interface ConnectionDeps {
  config: Pick<Config, 'zoho' | 'notify' | 'encryption' | 'dataDir'>
  db: Database
  encryption: Encryption
  clock: Clock
  log: Logger
  queue: JobQueue
  dispatcher: Dispatcher
  redirectUri(): string
  /** The shop's time zone became known or changed. */
  onZone(tx: Db, zone: string): Promise<void>
  /** Throws BadRequestError `webhook_url_blocked` for a URL that is not public. */
  refuseWebhookUrl(url: string): Promise<void>
  /** In tests: a table of hosts and a stand-in for Google that listen on loopback. */
  dataCenters?: DataCenterEndpoints | undefined
  gcpClient?: ClientOptions | undefined
  timeLimits?: TimeLimits | undefined
}

export type ConnectionContext = Awaited<ReturnType<typeof openConnection>>

/**
 * Opens all of zinc's side of Zoho: the settings, the sign-in, the connection's state, and clients
 * that use the present settings.
 */
export async function openConnection(deps: ConnectionDeps) {
  const {
    config,
    db,
    encryption,
    clock,
    log,
    queue,
    dispatcher,
    redirectUri,
    onZone,
    dataCenters = DATA_CENTER_ENDPOINTS,
    gcpClient,
    timeLimits,
    refuseWebhookUrl,
  } = deps
  const stored = createSettingStore({ db, encryption })
  const connection = createConnectionStateStore({ db, clock, queue, onRefused: () => settings.refreshSecrets() })
  const gcp =
    config.encryption.provider === 'gcp'
      ? createGcpSecrets({ projectId: config.encryption.gcpProjectId ?? '', ...(gcpClient && { client: gcpClient }) })
      : undefined
  const settings = createZohoSettings({ db, clock, stored, environment: config.zoho, gcp, onNewConnection: connection.begin })
  const organizations = createOrganizations({
    db,
    onZone: async (tx, id, zone) => {
      const chosen = config.zoho.organizationId ?? (await tx.setting.findUnique({ where: { name: 'zoho.organization_id' } }))?.value
      if (zone !== null && id === chosen) await onZone(tx, zone)
    },
  })
  const authorization = createOAuthFlow({ db, encryption, settings, connection, dataCenters, clock, dispatcher, redirectUri })
  await importZohoConfigOnce(join(config.dataDir, 'settings', 'zoho_config.json'), { settings, log })

  const parts = { db, encryption, clock, log, dispatcher, dataCenters, timeLimits }
  const breaker = createCircuitBreaker({ clock })
  /** Next to the redirect URI of the consent. */
  const webhookUrl = () => new URL('../webhook', redirectUri()).href
  const testHistory = createTestHistory({ db, clock })
  const account = async () => createOAuthClient({ ...parts, settings: await settings.forClient(), connection })

  return {
    settings,
    connection,
    organizations,
    notifications: createNotificationSettings({ db, clock, stored, environment: config.notify, refuseBlockedUrl: refuseWebhookUrl }),
    redirectUri,
    /** ZOHO_ACCOUNTS_URL or ZOHO_API_URL overrides the hosts of the data center. */
    hostsOverridden: config.zoho.accountsUrl !== undefined || config.zoho.apiUrl !== undefined,

    /**
     * Returns a client for a run, with the present settings. Throws ConfigurationError
     * `not_set_up`, ConflictError `integration_disabled`.
     */
    async open(onWait?: (wait: RateLimitWait) => void): Promise<ZohoClient> {
      const set = await settings.forClient()
      if (!set.enabled) throw integrationDisabled()
      const organization = await knownOrganization(db, set.organizationId ?? null)
      return createClient({ ...parts, settings: set, connection, breaker, timeZone: organization?.timeZone }, onWait)
    },

    /**
     * Returns the chosen organization as Zoho reports it now; null when the account does not have
     * it.
     */
    async readOrganization(zoho: ZohoClient, signal: AbortSignal): Promise<Organization | null> {
      const id = (await settings.effective()).values.organization_id
      const organization = id === null ? null : await organizations.read(zoho, id, signal)
      if (organization) zoho.setTimeZone(organization.timeZone)
      return organization
    },

    /** Returns the same as it was last reported. */
    async knownOrganization(): Promise<Organization | null> {
      return knownOrganization(db, (await settings.effective()).values.organization_id)
    },

    /**
     * Returns the organization's currency. Asks Zoho only where it was never reported; null where
     * Zoho is not connected or does not answer.
     */
    async currency(signal: AbortSignal): Promise<string | null> {
      const known = await this.knownOrganization()
      if (known?.currency) return known.currency
      try {
        return (await this.readOrganization(await this.open(), signal))?.currency ?? null
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof AppError) return null
        throw error
      }
    },

    webhookUrl,
    async testWebhook() {
      return testWebhook({ dispatcher, clock }, { url: webhookUrl(), secret: (await settings.effective()).values.webhook_secret })
    },

    async test(testedBy: string, signal: AbortSignal): Promise<TestResult> {
      // A test usually follows a change: read the secrets from Google again.
      settings.refreshSecrets()
      return testHistory.record(testedBy, async () => {
        try {
          return await testConnection(await settings.forClient(), { ...parts, connection, organizations }, signal)
        } catch (error) {
          if (!signal.aborted) throw error
          throw new ServiceUnavailableError('test_timeout', {}, { cause: error })
        }
      })
    },
    listTests: testHistory.list,

    async listOrganizations(signal: AbortSignal): Promise<Organization[]> {
      return (await organizations.list((await account()).client, signal)).organizations
    },

    /** Throws NotFoundError `organization_not_found`, ConflictError `set_by_environment`. */
    async chooseOrganization(id: string, actor: Actor, signal: AbortSignal): Promise<Organization> {
      const all = await this.listOrganizations(signal)
      const organization = all.find((it) => it.id === id)
      if (!organization) {
        throw new NotFoundError('organization_not_found', { organizations: all.map((it) => it.id) })
      }
      const also = async (tx: Db) => {
        if (organization.timeZone !== null) await onZone(tx, organization.timeZone)
        return []
      }
      await settings.change({ organization_id: id }, actor, { also })
      await connection.works() // the account has just confirmed it
      return organization
    },

    /**
     * Exchanges a self client's grant code; an account with one organization needs no choice
     * afterwards.
     */
    async authorize(code: string, actor: Actor, signal: AbortSignal): Promise<void> {
      await authorization.authorize(code, actor)
      await this.chooseOnly(actor, signal)
    },
    beginConsent: (username: string) => authorization.begin(username),
    consentLinks: createConsentLinks({
      db,
      clock,
      authorization,
      async assertReady() {
        await settings.assertChangeable(['refresh_token'])
        oauthClient(await settings.forClient())
      },
    }),
    async finishConsent(...[back, from]: Parameters<typeof authorization.finish>): Promise<void> {
      await authorization.finish(back, from)
      await this.chooseOnly({ ...from.request, actor: 'zinc' }, AbortSignal.timeout(15_000))
    },

    /**
     * Chooses the organization where there is only one. The new token is valid whether this works
     * or not.
     */
    async chooseOnly(actor: Actor, signal: AbortSignal): Promise<void> {
      try {
        if ((await settings.effective()).values.organization_id !== null) return
        const all = await this.listOrganizations(signal)
        if (all.length === 1 && all[0]) await this.chooseOrganization(all[0].id, actor, signal)
      } catch (err) {
        log.warn({ err }, 'the organizations could not be looked up after the sign-in; choose one on the settings page')
      }
    },

    async [Symbol.asyncDispose]() {
      await gcp?.[Symbol.asyncDispose]()
    },
  }
}

export const integrationDisabled = () => new ConflictError('integration_disabled')
