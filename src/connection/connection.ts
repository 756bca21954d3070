import { join } from 'node:path'
import type { ClientOptions } from 'google-gax'
import type { Logger } from 'pino'
import type { Dispatcher } from 'undici'
import type { Config } from '../config.ts'
import type { Database, Db } from '../database/client.ts'
import type { Clock } from '../lib/clock.ts'
import { Conflict, NotFound, Unavailable } from '../lib/errors.ts'
import type { TestResult } from '../schemas/connection.ts'
import type { Actor } from '../settings/audit-log.ts'
import type { Secrets } from '../settings/encryption.ts'
import { createGcpSecrets } from '../settings/gcp-secret-manager.ts'
import { createNotificationSettings } from '../settings/notification-settings.ts'
import { createStoredValues } from '../settings/setting-store.ts'
import { adoptZohoConfig } from '../settings/zoho-config-file.ts'
import { createZohoSettings } from '../settings/zoho-settings.ts'
import { createBreaker } from '../zoho/circuit-breaker.ts'
import type { TimeLimits, ZohoClient } from '../zoho/client.ts'
import { REGIONS } from '../zoho/data-centers.ts'
import type { Organization } from '../zoho/organizations.ts'
import type { Wait } from '../zoho/rate-limiter.ts'
import { createConnectionKeeper } from './connection-state.ts'
import { createConsentLinks } from './consent-links.ts'
import { openAccount, openZoho, type Regions } from './create-client.ts'
import { clientOf, createAuthorization } from './oauth-flow.ts'
import { createOrganizations, knownOrganization } from './organizations.ts'
import { testConnection } from './test-connection.ts'
import { testWebhook } from './test-webhook.ts'

export interface ConnectDeps {
  config: Pick<Config, 'zoho' | 'notify' | 'secrets' | 'dataDir'>
  db: Database
  secrets: Secrets
  clock: Clock
  log: Logger
  dispatcher: Dispatcher
  redirectUri(): string
  /** The shop's zone became known or changed. */
  onZone(tx: Db, zone: string): Promise<void>
  /** In tests: a table of hosts and a stand-in for Google that listen on loopback. */
  regions?: Regions | undefined
  gcpClient?: ClientOptions | undefined
  timeLimits?: TimeLimits | undefined
}

export type Connect = Awaited<ReturnType<typeof openConnect>>

/** Everything between Zoho and us: the settings, the sign-in, how it stands, and clients that use what is set at that moment. */
export async function openConnect(deps: ConnectDeps) {
  const { config, db, secrets, clock, log, dispatcher, redirectUri, onZone, regions = REGIONS, gcpClient, timeLimits } = deps
  const stored = createStoredValues({ db, secrets })
  const connection = createConnectionKeeper({ db, clock, onRefused: () => settings.doubt() })
  const gcp =
    config.secrets.provider === 'gcp'
      ? createGcpSecrets({ projectId: config.secrets.gcpProjectId ?? '', ...(gcpClient && { client: gcpClient }) })
      : undefined
  const settings = createZohoSettings({ db, clock, stored, environment: config.zoho, gcp, onNewConnection: connection.begin })
  const organizations = createOrganizations({
    db,
    onZone: async (tx, id, zone) => {
      const chosen = config.zoho.organizationId ?? (await tx.setting.findUnique({ where: { name: 'zoho.organization_id' } }))?.value
      if (zone !== null && id === chosen) await onZone(tx, zone)
    },
  })
  const authorization = createAuthorization({ db, secrets, settings, connection, regions, clock, dispatcher, redirectUri })
  await adoptZohoConfig(join(config.dataDir, 'settings', 'zoho_config.json'), { settings, log })

  const parts = { db, secrets, clock, log, dispatcher, regions, timeLimits }
  const breaker = createBreaker({ clock })
  /** Beside the way back of the consent. */
  const webhookUrl = () => new URL('../webhook', redirectUri()).href
  const account = async () => openAccount({ ...parts, settings: await settings.forClient(), connection })

  return {
    settings,
    connection,
    organizations,
    notifications: createNotificationSettings({ db, clock, stored, environment: config.notify }),
    redirectUri,
    /** ZOHO_ACCOUNTS_URL or ZOHO_API_URL overrides the hosts of the data centre. */
    hostsOverridden: config.zoho.accountsUrl !== undefined || config.zoho.apiUrl !== undefined,

    /** A client for a run, with what is set now. Throws NeedsPerson `not_set_up`, Conflict `integration_disabled`. */
    async open(onWait?: (wait: Wait) => void): Promise<ZohoClient> {
      const set = await settings.forClient()
      if (!set.enabled) throw integrationDisabled()
      return openZoho({ ...parts, settings: set, connection, breaker }, onWait)
    },

    /** The organisation that is chosen, as Zoho tells it now; null when the account does not have it. */
    async readOrganization(zoho: ZohoClient, signal: AbortSignal): Promise<Organization | null> {
      const id = (await settings.effective()).values.organization_id
      return id === null ? null : organizations.read(zoho, id, signal)
    },

    /** The same as it was told last. */
    async knownOrganization(): Promise<Organization | null> {
      return knownOrganization(db, (await settings.effective()).values.organization_id)
    },

    webhookUrl,
    async testWebhook() {
      return testWebhook({ dispatcher, clock }, { url: webhookUrl(), secret: (await settings.effective()).values.webhook_secret })
    },

    async test(signal: AbortSignal): Promise<TestResult> {
      // Somebody tests because something was changed: Google is asked anew.
      settings.doubt()
      try {
        return await testConnection(await settings.forClient(), { ...parts, connection, organizations }, signal)
      } catch (error) {
        if (!signal.aborted) throw error
        throw new Unavailable('test_timeout', 'The test did not come to an end in two minutes', {
          cause: error,
          remedy: 'Other calls to Zoho are under way, or Zoho is slow. Look at GET /api/settings/integrations/zoho/quota and try again.',
        })
      }
    },

    async listOrganizations(signal: AbortSignal): Promise<Organization[]> {
      return (await organizations.list((await account()).client, signal)).organizations
    },

    /** Throws NotFound `organization_not_found`, Conflict `set_by_environment`. */
    async chooseOrganization(id: string, actor: Actor, signal: AbortSignal): Promise<Organization> {
      const all = await this.listOrganizations(signal)
      const organization = all.find((it) => it.id === id)
      if (!organization) {
        throw new NotFound('organization_not_found', 'The account has no such organisation', {
          detail: { organizations: all.map((it) => it.id) },
          remedy: 'Choose one of GET /api/settings/integrations/zoho/organizations.',
        })
      }
      await settings.change({ organization_id: id }, actor, async (tx) => {
        if (organization.timeZone !== null) await onZone(tx, organization.timeZone)
        return []
      })
      await connection.works() // the account has just told that it has it
      return organization
    },

    /** A self client's grant code; an account with one organisation needs no choice after it. */
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
        clientOf(await settings.forClient())
      },
    }),
    async finishConsent(...[back, from]: Parameters<typeof authorization.finish>): Promise<void> {
      await authorization.finish(back, from)
      await this.chooseOnly({ ...from.request, actor: 'zinc' }, AbortSignal.timeout(15_000))
    },

    /** Chooses the organisation where there is no choice. The new token counts whether this works or not. */
    async chooseOnly(actor: Actor, signal: AbortSignal): Promise<void> {
      try {
        if ((await settings.effective()).values.organization_id !== null) return
        const all = await this.listOrganizations(signal)
        if (all.length === 1 && all[0]) await this.chooseOrganization(all[0].id, actor, signal)
      } catch (err) {
        log.warn({ err }, 'the organisations could not be looked up after the sign-in; choose one on the settings page')
      }
    },

    async [Symbol.asyncDispose]() {
      await gcp?.[Symbol.asyncDispose]()
    },
  }
}

export const integrationDisabled = () =>
  new Conflict('integration_disabled', 'The integration with Zoho is switched off', {
    remedy: 'Switch it on: POST /api/settings/integrations/zoho {"enabled":true}.',
  })
