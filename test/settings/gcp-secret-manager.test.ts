import { expect, onTestFinished, test } from 'vitest'
import { createGcpSecrets } from '../../src/settings/gcp-secret-manager.ts'
import { FAKE_CREDENTIALS } from '../../src/zoho-simulator/simulator.ts'
import { startGoogleSecrets } from '../helpers/google-secrets.ts'
import { longTest } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { startZinc } from '../helpers/zinc.ts'

const nameOf = (secret: string) => `projects/fake-project/secrets/${secret}/versions/latest`

async function google() {
  const it = await startGoogleSecrets()
  onTestFinished(async () => it[Symbol.asyncDispose]())
  return it
}

test('the latest versions of three secrets are read and cached; a missing one is no error', async () => {
  const manager = await google()
  manager.encryption.set(nameOf('ZOHO_CLIENT_ID'), 'fake-id\n')
  manager.encryption.set(nameOf('ZOHO_CLIENT_SECRET'), 'fake-secret')
  await using encryption = createGcpSecrets({ projectId: 'fake-project', client: manager.client })
  expect(await encryption.read()).toEqual({ client_id: 'fake-id', client_secret: 'fake-secret' })
  expect([...manager.asked].sort()).toEqual(['ZOHO_CLIENT_ID', 'ZOHO_CLIENT_SECRET', 'ZOHO_REFRESH_TOKEN'].map(nameOf))
  manager.encryption.set(nameOf('ZOHO_CLIENT_SECRET'), 'fake-newer')
  expect(await encryption.read()).toMatchObject({ client_secret: 'fake-secret' })
  encryption.forget()
  expect(await encryption.read()).toMatchObject({ client_secret: 'fake-newer' })
})

longTest("with GCP_PROJECT_ID alone zinc signs in with Google's secrets, and POST cannot change them", async () => {
  const manager = await google()
  manager.encryption.set(nameOf('ZOHO_CLIENT_ID'), FAKE_CREDENTIALS.clientId)
  manager.encryption.set(nameOf('ZOHO_CLIENT_SECRET'), FAKE_CREDENTIALS.clientSecret)
  manager.encryption.set(nameOf('ZOHO_REFRESH_TOKEN'), FAKE_CREDENTIALS.refreshToken)
  const zinc = await startZinc({
    environment: { ZOHO_CLIENT_ID: '', ZOHO_CLIENT_SECRET: '', ZOHO_REFRESH_TOKEN: '', GCP_PROJECT_ID: 'fake-project' },
    overrides: () => ({ gcpClient: manager.client }),
  })
  expect((await request(zinc, 'GET', '/')).body.data).toMatchObject({
    client_secret: '••••cret',
    sources: { client_id: 'gcp', client_secret: 'gcp', refresh_token: 'gcp', organization_id: 'environment' },
  })
  expect((await zinc.sync()).status).toBe('success')
  expect(await request(zinc, 'POST', '/', { client_secret: 'fake-another' })).toMatchObject({
    status: 409,
    body: { code: 'set_by_environment' },
  })

  // A new version counts at the next test, without a restart.
  manager.encryption.set(nameOf('ZOHO_CLIENT_SECRET'), 'fake-but-wrong')
  expect(await request(zinc, 'POST', '/test')).toMatchObject({ status: 502, body: { code: 'invalid_client_secret' } })
})

test('a Google that is away is named, with what to do, and never taken for empty settings', async () => {
  const manager = await google()
  manager.away = true
  const zinc = await startZinc({
    environment: {
      ZOHO_CLIENT_ID: '',
      ZOHO_CLIENT_SECRET: '',
      ZOHO_REFRESH_TOKEN: '',
      SECRETS_PROVIDER: 'gcp',
      GCP_PROJECT_ID: 'fake-project',
    },
    overrides: () => ({ gcpClient: manager.client }),
  })
  expect(await request(zinc, 'POST', '/test')).toMatchObject({
    status: 502,
    body: { code: 'gcp_secrets_unavailable', detail: { remedy: expect.any(String) } },
  })
  expect((await request(zinc, 'GET', '/')).body.data.connection).toMatchObject({ state: 'stale', code: 'gcp_secrets_unavailable' })
})
