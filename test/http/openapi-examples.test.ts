import { createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Secret, TOTP } from 'otpauth'
import { expect, onTestFinished } from 'vitest'
import { numberProducts } from '../../src/catalog/product-feed.ts'
import { EXAMPLES_FILE, type RecordedExamples, readExamples } from '../../src/http/plugins/openapi-examples.ts'
import { createPriceBooks } from '../../src/zoho-simulator/price-books.ts'
import { FAKE_CREDENTIALS } from '../../src/zoho-simulator/simulator.ts'
import { drawnImage, imageForm } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { createSanitizer, differencesOf, formatExamples } from '../helpers/record-examples.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { startReceiver } from '../helpers/webhook-receiver.ts'
import { startZinc } from '../helpers/zinc.ts'
import { zipOf } from '../helpers/zip.ts'

const NOWHERE = '00000000-0000-4000-8000-000000000000'
interface Document {
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, { content?: Record<string, object> }> }>>
}
interface Sent {
  path?: object
  query?: string
  body?: unknown
  form?: FormData
  token?: string | null
  headers?: Record<string, string>
}
// biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
type Answer = { status: number; headers: Headers; body: any }

/** `ZINC_RECORD=1` writes the file that the document takes its examples from. */
longTest(
  'each operation responds as its example in the document shows (ZINC_RECORD=1 renews them)',
  async () => {
    const receiver = await startReceiver()
    onTestFinished(receiver.close)
    const zinc = await startZinc({
      synced: true,
      books: { invoices: 4, contacts: 3 },
      scopes: ['ZohoInventory', 'ZohoBooks', 'ZohoCRM', 'ZohoInvoice'].map((service) => `${service}.fullaccess.all`),
      environment: { ZOHO_REFRESH_TOKEN: '', WEBHOOK_URL_ALLOWLIST: receiver.host, IMAGE_URL_ALLOWLIST: '127.0.0.1' },
    })
    const { db, users, sessions } = zinc.services
    const document = (await (await zinc.call('/docs/json')).json()) as Document
    const operations = new Map(
      Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(
          ([method, operation]) => [operation.operationId, { path, method: method.toUpperCase(), operation }] as const,
        ),
      ),
    )
    const recorded: RecordedExamples = { operations: {}, errors: {} }
    const sanitize = createSanitizer()
    const unexpected: string[] = []
    const undocumented: string[] = []

    async function record(
      id: string,
      { path = {}, query = '', body, form, token, headers = {} }: Sent = {},
      isRefused = false,
    ): Promise<Answer> {
      const { path: pattern, method, operation } = operations.get(id)!
      const at = pattern.replace(/\{(\w+)\}/g, (_, name: string) =>
        encodeURIComponent(String((path as Record<string, unknown>)[name] ?? NOWHERE)),
      )
      const response = await zinc.call(`${at}${query}`, {
        method,
        redirect: 'manual',
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(form && { body: form }),
      })
      const type = response.headers.get('content-type') ?? ''
      const isJson = type.startsWith('application/json')
      const bytes = Buffer.from(await response.arrayBuffer())
      const answer = isJson ? JSON.parse(bytes.toString('utf8')) : bytes
      if (response.status >= 400) {
        if (!isJson) throw new Error(`${id}: ${response.status} ${bytes}`)
        recorded.errors[answer.code] ??= sanitize.json(answer)
        if (!isRefused) unexpected.push(`${id}: ${response.status} ${answer.code} ${answer.message}`)
        return { status: response.status, headers: response.headers, body: answer }
      }
      recorded.operations[id] ??= { responses: {} }
      const one = recorded.operations[id]
      if (body !== undefined) one.request ??= sanitize.json(body)
      if (isJson) one.responses[response.status] ??= sanitize.json(answer)
      else if (/^text\//.test(type)) one.responses[response.status] ??= sanitize.text(bytes.toString('utf8'))
      else one.responses[response.status] ??= null
      if (!operation.responses[response.status]) undocumented.push(`${id}: ${response.status}`)
      return { status: response.status, headers: response.headers, body: answer }
    }
    const refused = async (id: string, sent?: Sent) => expect((await record(id, sent, true)).status, id).toBeGreaterThanOrEqual(400)
    const idle = () => waitFor(async () => (await db.run.count({ where: { finished_at: null } })) === 0)
    const wait = (run_id: string) => zinc.services.runs.wait(run_id, new AbortController().signal)

    await record('authorize', { body: { code: zinc.zoho.accounts.issueCode() } })
    // Health and login.
    await record('getLiveness')
    await record('getReadiness')
    await record('getMetrics')
    await record('downloadEdgeClient')
    const by = { actor: 'admin', request_id: null, ip: null }
    const password = 'cedar-lamp-14-river'
    const person = await users.create({ username: 'lina', password, role: 'operator' }, by)
    const login = await record('login', { body: { username: 'lina', password }, token: null as never, headers: { authorization: '' } })
    const token = login.body.data.access_token as string
    await record('getCurrentUser', { token })
    await record('listSessions', { token })
    await record('refreshTokens', { body: { refresh_token: login.body.data.refresh_token } })
    const other = await sessions.open(person, '192.0.2.1')
    const mine = (await record('listSessions', { token: other.access_token })).body.data as { id: string; current: boolean }[]
    await record('endSession', { token: other.access_token, path: { id: mine.find((it) => !it.current)?.id ?? mine[0]!.id } })
    const changing = (await sessions.open(person, '192.0.2.1')).access_token
    await record('changePassword', { token: changing, body: { current_password: password, new_password: 'cedar-lamp-15-river' } })
    const { secret } = (await record('startSecondFactor', { token: changing })).body.data as { secret: string }
    const code = (steps: number) => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + steps * 30_000 })
    await record('confirmSecondFactor', { token: changing, body: { code: code(0) } })
    await record('removeSecondFactor', { token: changing, body: { password: 'cedar-lamp-15-river', code: code(1) } })
    await record('logout', { token: changing })
    await refused('getCurrentUser', { token: 'x.y.z' })
    await refused('login', { body: { username: 'lina', password: 'wrong' } })

    // Users and keys.
    const made = (await record('createUser', { body: { username: 'omar', password, role: 'viewer' } })).body.data as { id: string }
    await record('listUsers')
    await record('changeUser', { path: made, body: { role: 'operator' } })
    const viewer = (await sessions.open(await users.create({ username: 'vera', password, role: 'viewer' }, by), '192.0.2.1')).access_token
    await refused('createUser', { token: viewer, body: { username: 'x', password, role: 'viewer' } })
    await record('deleteUser', { path: made })
    const key = (await record('createApiKey', { body: { name: 'erp', scopes: ['products:read'], expires_in_days: 365 } })).body.data as {
      id: string
      key: string
    }
    await record('listApiKeys')
    await refused('listRuns', { token: key.key })
    await refused('listUsers', { token: key.key })
    await record('rotateApiKey', { path: key, body: { overlap_hours: 24 } })
    await record('revokeApiKey', { path: key })
    await refused('revokeApiKey')

    // Products.
    const { data: products } = (await record('listProducts', { query: '?limit=2&has_image=true&sort=sku' })).body as {
      data: { id: string; zoho_item_id: string }[]
    }
    const product = products[0]!
    await record('getProduct', { path: product })
    await refused('getProduct')
    await refused('listProducts', { query: '?limt=3' })
    await refused('listProducts', { query: '?limit=0' })
    await record('listCategories')
    await record('listProductFacets')
    await record('listProductCursors', { query: '?limit=50' })
    await record('listProductHistory', { path: product })
    await record('listProductChanges', { query: '?limit=2' })
    await refused('listProductChanges', { query: '?cursor=nonsense' })
    const own = await db.product.create({ data: { name: 'Lamp', name_en: 'Lamp', sku: 'OWN-1', origin: 'erp' } })
    await record('changeFieldMapping', { body: { fields: [{ field: 'brand', owner: 'erp' }] } })
    await record('getFieldMapping')
    await record('previewFieldMapping', { body: { zoho_item_id: product.zoho_item_id } })
    await record('changeProduct', { path: product, body: { brand: 'Northwind' } })
    await refused('changeProduct', { path: product, body: { unit: 'box' } })
    await record('deleteProduct', { path: own })
    await refused('deleteProduct', { path: product })
    await db.location.create({ data: { id: '4815000000066001', name: 'Main street', is_primary: true, listed_at: new Date() } })
    await record('listLocations')
    zinc.zoho.priceBooks.replaceAll(createPriceBooks(zinc.zoho.items()))
    await record('syncModule', { path: { module: 'inventory' }, query: '?only=price_lists' })
    await idle()
    const [priceList] = (await record('listPriceLists')).body.data as { id: string }[]
    await record('getPriceList', { path: priceList! })
    await record('listProductPrices', { path: product })
    const group = { id: '4815000000055101' }
    const grouped = { group_id: group.id, group_name: 'Shirt', attributes: [{ name: 'Size', option: 'M' }] }
    await db.product.update({ where: { id: product.id }, data: grouped })
    await record('listProductGroups')
    await record('getProductGroup', { path: group })
    await record('getCoverage')
    await record('getCoverageHistory')
    await record('exportProducts')

    // Images.
    const image = await drawnImage()
    await record('getImageFile', { path: { filename: `${product.zoho_item_id}.jpg` } })
    await record('getSignedImageFile', { path: { filename: `${product.zoho_item_id}.jpg` } })
    const uploaded = (await record('uploadProductImage', { path: product, form: imageForm([image]) })).body.data as { id: string }
    await refused('uploadProductImage', { path: product, form: imageForm([Buffer.from('no image')]) })
    const images = (await record('listProductImages', { path: product })).body.data as { id: string }[]
    await record('orderProductImages', { path: product, body: images.map(({ id }) => id) })
    const ofProduct = { id: product.id, image_id: images.at(-1)!.id }
    await record('changeProductImage', { path: ofProduct, body: { alt_en: 'A lamp', alt_ar: 'مصباح' } })
    await record('listMediaImages', { query: '?limit=2' })
    await record('setImageAltTexts', { body: { ids: [ofProduct.image_id], alt_en: 'A lamp', alt_ar: 'مصباح' } })
    await record('compareProductImages', { path: product })
    const [bare] = ((await (await zinc.call('/api/products?has_image=false')).json()) as { data: { id: string }[] }).data
    await record('uploadProductImage', { path: bare!, form: imageForm([image]) })
    await record('sendImagesToZoho', { path: bare! })
    await record('deleteProductImage', { path: ofProduct })
    await record('restoreProductImage', { path: ofProduct })
    await record('deleteImages', { body: { ids: [uploaded.id ?? ofProduct.image_id] } })
    await record('restoreImages', { body: { ids: [uploaded.id ?? ofProduct.image_id] } })
    await record('regenerateVariantsOf', { body: { ids: [ofProduct.image_id] } })
    await record('refetchImages', { body: { product_ids: [products[1]!.id] } })
    const { sku } = await db.product.findUniqueOrThrow({ where: { id: product.id } })
    const bytes = await zipOf({ [`${sku}.png`]: image })
    const zip = () => imageForm([bytes], {}, 'images.zip')
    const preview = (await record('previewImageImport', { form: zip() })).body.data as { id: string }
    await record('startPreviewedImageImport', { path: preview })
    await record('importImages', { form: zip() })
    await record('importImages', { form: zip(), query: '?wait=false' })
    await record('getVariantSettings')
    await record('changeVariantSettings', { body: { sizes: { thumb: 160 } } })
    await idle()
    await record('regenerateVariants', { body: {} })
    await record('getIntegrityReport')
    const scan = await record('startIntegrityScan')
    await wait(scan.body.run_id)
    await record('startIntegrityRepair', { body: { sha256: ['9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'] } })
    await record('getStorageUsage')
    await record('getMediaJobs')
    for (const id of ['pauseMediaJobs', 'resumeMediaJobs', 'clearFailedMediaJobs'])
      await record(id, { path: { queue: 'media_regenerate' } })
    await record('planGalleryFetch')
    await record('fetchGalleries', { body: { dry_run: true } })

    // Stores and photo sync.
    const store = (await record('createStore', { body: { code: 'DOWNTOWN', name: 'Downtown' } })).body.data as { id: string }
    await record('listStores')
    await record('getStore', { path: store })
    await refused('getStore')
    await record('changeStore', { path: store, body: { name: 'Down town' } })
    const edge = (await record('createStoreToken', { path: store, body: { name: 'edge server' } })).body.data as {
      id: string
      token: string
    }
    await record('listStoreTokens', { path: store })
    const query = `?store_id=${store.id}`
    const listed = (await record('listStorePhotos', { query: `${query}&limit=2`, token: edge.token })).body.data as {
      photos: { id: string }[]
    }
    const photo_id = listed.photos[0]!.id
    await refused('listProducts', { token: edge.token })
    const digest = await record('getStorePhotosDigest', { query, token: edge.token })
    await record('getStorePhotosDigest', { query, token: edge.token, headers: { 'if-none-match': digest.headers.get('etag') ?? '' } })
    await record('downloadPhoto', { path: { photo_id }, query, token: edge.token })
    await record('downloadPhotoArchive', { body: { store_id: store.id, photo_ids: [photo_id] }, token: edge.token })
    await record('reportStorePhotos', {
      token: edge.token,
      body: { store_id: store.id, sync_batch: [{ photo_id, status: 'synced', version: 1 }] },
    })
    await record('listStoreStatuses')
    await record('getStoreStatus', { path: store })
    await record('getStoreHistory', { path: store })
    await record('resyncStore', { path: store, body: {} })
    await record('getPhotoStoreStatus', { path: { id: photo_id } })
    await record('revokeStoreToken', { path: { id: store.id, token_id: edge.id } })
    await record('deleteStore', { path: store })

    // Webhooks.
    const hook = (await record('createWebhook', { body: { url: receiver.url, events: ['product.*'], description: 'ERP' } })).body.data as {
      id: string
    }
    await refused('createWebhook', { body: { url: 'http://127.0.0.1:1/', events: ['*'] } })
    await record('listWebhooks')
    await record('getWebhook', { path: hook })
    await record('changeWebhook', { path: hook, body: { events: ['product.*', 'run.failed'] } })
    await record('testWebhook', { path: hook })
    await db.product.update({ where: { id: product.id }, data: { selling_price: '12.50' } })
    await numberProducts(db)
    await waitFor(async () => (await db.webhookDelivery.count({ where: { state: 'delivered' } })) > 1)
    const deliveries = (await record('listWebhookDeliveries', { path: hook })).body.data as { id: string }[]
    const ofHook = { id: hook.id, delivery_id: deliveries[0]!.id }
    await record('getWebhookDelivery', { path: ofHook })
    await record('retryWebhookDelivery', { path: ofHook })
    await record('replayWebhook', { path: hook, body: { since: '2026-11-30T00:00:00Z' } })
    await record('rotateWebhookSecret', { path: hook, body: { overlap_hours: 24 } })
    await record('deleteWebhook', { path: hook })
    await refused('getWebhook')

    // Runs, failures, pulls.
    await record('planItemSync', { query: '?mode=full' })
    await record('planItemSync', { query: '?wait=false' })
    await idle()
    const sync = await record('syncItems', { query: '?mode=full' })
    await record('syncItems', { query: '?wait=false' })
    await idle()
    const run = { id: sync.body.run_id as string }
    await record('listRuns')
    await record('countRunsByDay')
    await record('getRun', { path: run })
    await refused('getRun')
    await record('listRunRecords', { path: run })
    await record('exportRun', { path: run })
    await record('streamRunEvents', { path: run })
    await refused('cancelRun', { path: run })
    const held = await db.run.create({
      data: { kind: 'item_sync', state: 'queued', params: {}, resumes_at: new Date(Date.now() + 3_600_000) } as never,
    })
    await record('pauseRun', { path: held })
    await record('resumeRun', { path: held })
    await record('cancelRun', { path: held })
    await db.failure.create({
      data: {
        run_id: run.id,
        stage: 'image',
        code: 'image_download_failed',
        message: 'The image cannot be downloaded',
        product_id: product.id,
        zoho_item_id: product.zoho_item_id,
      } as never,
    })
    const failures = (await record('listFailures')).body.data as { failures: { id: string }[] }[]
    await record('retryFailures', { body: {} })
    await idle()
    await record('retryFailedOfRun', { path: run })
    await record('dismissFailures', { body: { ids: [failures[0]!.failures[0]!.id], note: 'Known' } })
    await idle()
    await record('planPull', { body: { modules: ['invoices', 'contacts'] } })
    for (const n of [1, 2]) {
      const pull = await record('startPull', { body: { modules: ['invoices', 'contacts'], full: n === 1 } })
      await wait(pull.body.run_id)
    }
    const [newest, older] = (await record('listPullSessions')).body.data as { session: string }[]
    const session = { session: newest!.session }
    await record('getPullSession', { path: session })
    await refused('getPullSession', { path: { session: 'sync_session_2020-01-01_00-00-00' } })
    const both = `?a=${older!.session}&b=${newest!.session}`
    await record('comparePullSessions', { query: both })
    const [contact] = zinc.zoho.books.ids('contacts')
    await record('comparePulledRecord', { query: `${both}&module=contacts&record_id=${contact}` })
    await record('changePullSession', { path: session, body: { pinned: true } })
    await record('downloadPullSession', { path: session })
    await wait((await record('verifyPullSession', { path: session, body: { quick: false } })).body.run_id)
    await record('getVerificationReport', { path: session })
    await wait((await record('repairPullSession', { path: session })).body.run_id)
    await record('deletePullSession', { path: { session: older!.session } })
    await record('listRecords', { path: { app: 'books', module: 'invoices' } })
    await record('listBooksRecords', { path: { module: 'contacts' } })
    await record('exportRecords', { path: { app: 'books', module: 'invoices' } })
    await refused('exportRecords', { path: { app: 'crm', module: 'Leads' } })
    await refused('listBooksRecords', { path: { module: 'unknown' } })

    // Zoho settings and connection.
    await record('getZohoSettings')
    await record('changeZohoSettings', { body: { webhook_secret: 'exampleSecretOfTheWebhook1' } })
    await record('listModules')
    await record('getModule', { path: { module: 'inventory' } })
    await record('changeModule', { path: { module: 'inventory' }, body: { schedule: '*/15 * * * *' } })
    await record('moveModuleCursor', { path: { module: 'inventory' }, body: { up_to: null } })
    await record('syncModule', { path: { module: 'inventory' } })
    await record('syncModule', { path: { module: 'inventory' }, query: '?wait=false' })
    await record('previewSchedule', { query: '?cron=0 3 * * *' })
    await record('testConnection')
    await record('listConnectionTests')
    await record('listOrganizations')
    await record('setOrganization', { body: { id: FAKE_CREDENTIALS.organizationId } })
    await record('listZohoScopes')
    await record('startConsent')
    const link = (await record('createConsentLink')).body.data as { url: string }
    await record('getConsentLink')
    const followed = await record('followConsentLink', { body: { token: new URL(link.url).hash.slice(1) } })
    const page = await (await fetch(followed.body.data.url)).text()
    const accept = /id="accept" href="([^"]+)"/.exec(page)![1]!.replaceAll('&amp;', '&')
    const back = new URL((await fetch(new URL(accept, zinc.zoho.url), { redirect: 'manual' })).headers.get('location')!)
    await record('finishConsent', { query: back.search, headers: { cookie: followed.headers.getSetCookie()[0]!.split(';')[0]! } })
    await record('createConsentLink')
    await record('deleteConsentLink')
    await record('getZohoWebhook')
    await record('createZohoWebhookSecret')
    await record('changeZohoSettings', { body: { webhook_secret: 'exampleSecretOfTheWebhook1' } })
    await record('testZohoWebhook')
    const event = JSON.stringify({ item: { item_id: product.zoho_item_id } })
    const signed = await fetch(`${zinc.url}/api/settings/integrations/zoho/webhook`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-zoho-webhook-signature': createHmac('sha256', 'exampleSecretOfTheWebhook1').update(event).digest('hex'),
      },
      body: event,
    })
    recorded.operations.receiveZohoWebhook = { responses: { [signed.status]: sanitize.json(await signed.json()) } }
    await record('getQuota')
    await record('changeQuota', { body: { reserve_percent: 20 } })
    await record('listZohoCalls', { query: '?limit=2' })
    await record('changeNotifications', { body: { store_silent_after_minutes: 1440 } })
    await record('getNotifications')
    await record('sendTestNotification')
    await record('listAuditEntries', { query: '?limit=2' })

    // Backups, and items from a file.
    const target = join(zinc.dataDir, '..', `zinc-example-${process.pid}`)
    onTestFinished(() => rm(target, { recursive: true, force: true }))
    await record('changeBackupSchedule', {
      body: { schedule: '0 3 * * *', target, keep: { daily: 7, weekly: 4, monthly: 6 }, rehearsal: true, warn_after_hours: 30 },
    })
    await record('startBackup')
    await waitFor(async () => (await db.backup.count({ where: { finished_at: null } })) === 0)
    await record('startRehearsal')
    await record('getBackups')
    await waitFor(async () => (await db.backup.count({ where: { finished_at: null } })) === 0)
    const items = new FormData()
    items.set('file', new Blob([JSON.stringify([{ sku: 'FILE-1', name: 'Lamp of the file', selling_price: '12.50' }])]), 'items.json')
    await wait((await record('importItems', { form: items })).body.run_id)

    expect(unexpected).toEqual([])
    expect(undocumented).toEqual([])
    const lacking = [...operations].flatMap(([id, { operation }]) =>
      Object.keys(operation.responses)
        .filter((status) => /^2/.test(status) && recorded.operations[id]?.responses[status] === undefined)
        .map((status) => `${id}: ${status}`),
    )
    if (process.env.ZINC_RECORD === '1') writeFileSync(fileURLToPath(EXAMPLES_FILE), formatExamples(recorded))
    expect(lacking).toEqual([])
    const known = readExamples()
    expect(differencesOf(known.operations, recorded.operations)).toEqual([])
    expect(Object.keys(recorded.errors).filter((one) => !(one in known.errors))).toEqual([])
  },
  120_000,
)
