import { expect, test } from 'vitest'
import yauzl from 'yauzl'
import { SMALL, startPulls } from '../pulls/helpers.ts'

const namesIn = (zip: Buffer): Promise<string[]> =>
  new Promise((resolve, reject) =>
    yauzl.fromBuffer(zip, { lazyEntries: false }, (error, file) => {
      if (error) return reject(error)
      const names: string[] = []
      file.on('entry', (entry: { fileName: string }) => names.push(entry.fileName)).on('end', () => resolve(names))
    }),
  )

test('pulls, sessions, archives, reports, repairs, pins, deletion and records work over HTTP', async () => {
  const { zinc, books, newest, tamper } = await startPulls()
  const { runs } = zinc.services
  const call = async (method: string, path: string, body?: object) => {
    const response = await zinc.call(path, {
      method,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as { data?: unknown; run_id?: string; status?: string },
    }
  }
  const waitFor = async (queued: Awaited<ReturnType<typeof call>>) => {
    expect([queued.status, queued.body.status]).toEqual([202, 'queued'])
    return runs.wait(queued.body.run_id!, new AbortController().signal)
  }

  expect((await call('GET', '/api/pulls/')).body).toMatchObject({ data: [], next_cursor: null })
  expect(await call('POST', '/api/pulls/', { modules: ['nothing'] })).toMatchObject({ status: 400, body: { code: 'bad_request' } })
  expect(await call('POST', '/api/pulls/', { app: 'invoice', modules: ['bills'] })).toMatchObject({
    status: 400,
    body: { code: 'no_such_module' },
  })
  expect(await call('POST', '/api/pulls/', { modules: ['bills'], since: 'soon' })).toMatchObject({
    status: 400,
    body: { code: 'invalid_time' },
  })
  const first = await call('POST', '/api/pulls', { modules: ['invoices', 'contacts', 'organizations'] })
  const second = await call('POST', '/api/pulls/', { modules: ['bills'] })
  expect(second).toMatchObject({ status: 409, body: { code: 'sync_running', run_id: first.body.run_id } })
  expect((await waitFor(first)).state).toBe('success')

  const name = await newest()
  const list = await call('GET', '/api/pulls/')
  expect(list.body.data).toMatchObject([
    { session: name, badge: 'unverified', pinned: false, status: 'complete', records: SMALL.invoices + SMALL.contacts + 1 },
  ])
  expect((list.body.data as { size: number }[])[0]!.size).toBeGreaterThan(10_000)
  expect((await call('GET', `/api/pulls/${name}`)).body).toMatchObject({
    data: { files: expect.arrayContaining([expect.objectContaining({ rows: SMALL.invoices })]) },
  })
  for (const missing of ['sync_session_2001-01-01_00-00-00']) {
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/report'],
      ['GET', '/archive'],
      ['DELETE', ''],
      ['POST', '/verify'],
      ['POST', '/repair'],
    ] as const)
      expect([path, (await call(method, `/api/pulls/${missing}${path}`, method === 'POST' ? {} : undefined)).status]).toEqual([path, 404])
  }
  for (const hostile of ['..%2F..%2Fetc', 'sync_session_..', '.sync_session_2001-01-01_00-00-00'])
    expect((await call('GET', `/api/pulls/${hostile}`)).status).toBe(400)

  const zip = await zinc.call(`/api/pulls/${name}/archive`)
  expect([zip.headers.get('content-type'), zip.headers.get('content-disposition')]).toEqual([
    'application/zip',
    `attachment; filename="${name}.zip"`,
  ])
  const names = await namesIn(Buffer.from(await zip.arrayBuffer()))
  expect(names).toContain(`${name}/raw_json/${name.slice(13)}/invoices_line_items.json`)
  expect(names).toContain(`${name}/manifest.json`)

  expect(await call('GET', `/api/pulls/${name}/report`)).toMatchObject({ status: 404, body: { code: 'not_verified' } })
  expect((await waitFor(await call('POST', `/api/pulls/${name}/verify`))).state).toBe('success')
  expect((await call('GET', `/api/pulls/${name}/report`)).body).toMatchObject({ data: { ok: true, quick: false, session: name } })
  expect((await call('GET', '/api/pulls/')).body.data).toMatchObject([{ badge: 'verified' }])
  await tamper(name, 'contacts.json', (rows) => rows.slice(1))
  expect((await waitFor(await call('POST', `/api/pulls/${name}/verify`, { quick: true }))).state).toBe('partial')
  expect((await call('GET', `/api/pulls/${name}`)).body.data).toMatchObject({ badge: 'broken' })
  expect((await waitFor(await call('POST', `/api/pulls/${name}/repair`))).state).toBe('success')
  expect((await call('GET', `/api/pulls/${name}`)).body.data).toMatchObject({ badge: 'verified', verified_at: expect.any(String) })

  books.edit('contacts', books.ids('contacts')[0]!, { phone: '1' })
  await waitFor(await call('POST', '/api/pulls/', { modules: ['contacts'], full: true, since: '2026-01-01' }))
  const other = await newest()
  expect((await call('GET', `/api/pulls/compare?a=${name}&b=${other}`)).body.data).toMatchObject({
    a: name,
    b: other,
    modules: expect.arrayContaining([
      expect.objectContaining({
        module: 'contacts',
        records: { a: SMALL.contacts, b: SMALL.contacts },
        changed: { count: 1, ids: [books.ids('contacts')[0]] },
        same: SMALL.contacts - 1,
      }),
      // Not pulled is not gone.
      expect.objectContaining({ module: 'invoices', records: { a: SMALL.invoices, b: null }, only_a: { count: 0, ids: [] } }),
    ]),
  })
  const record = `/api/pulls/compare/record?a=${name}&b=${other}&module=contacts&record_id=`
  expect((await call('GET', record + books.ids('contacts')[0])).body.data).toMatchObject({
    in_a: true,
    in_b: true,
    fields: expect.arrayContaining([{ field: 'phone', a: expect.anything(), b: '1' }]),
  })
  expect((await call('GET', record + books.ids('contacts')[1])).body.data).toEqual({ in_a: true, in_b: true, fields: [] })
  expect((await call('GET', `${record}1`)).body.data).toEqual({ in_a: false, in_b: false, fields: [] })
  expect((await call('PATCH', `/api/pulls/${other}`, { pinned: true })).body.data).toMatchObject({ pinned: true })
  expect(await call('DELETE', `/api/pulls/${other}`)).toMatchObject({ status: 409, body: { code: 'session_pinned' } })
  await call('PATCH', `/api/pulls/${other}`, { pinned: false })
  expect(await call('DELETE', `/api/pulls/${other}`)).toMatchObject({ status: 200, body: { data: { deleted: true } } })
  expect((await call('GET', `/api/pulls/${other}`)).status).toBe(404)

  // Records, as Zoho wrote them: the digits of a long number and of money survive the way through
  // JSON.
  const page = await zinc.call('/api/zoho/books/invoices?limit=100&search=inv-000003')
  const text = await page.text()
  expect(text).toMatch(/"external_reference":900719925474\d{7},/)
  expect(text).toMatch(/"exchange_rate":1\.000000,/)
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const { body } = await call('GET', `/api/zoho/invoices?limit=100&cursor=${cursor}`)
    const { data, next_cursor } = body as unknown as {
      data: { invoice_id: string; line_items: object[]; zinc: { record_id: string } }[]
      next_cursor: string | null
    }
    for (const it of data) {
      expect([it.invoice_id, it.line_items.length > 0]).toEqual([it.zinc.record_id, true])
      seen.push(it.invoice_id)
    }
    cursor = next_cursor
  }
  expect(seen.length).toBe(SMALL.invoices)
  expect(new Set(seen)).toEqual(new Set(books.ids('invoices')))
  const found = await call('GET', '/api/zoho/books/invoices?search=inv-000007')
  expect(found.body.data).toMatchObject([{ invoice_number: 'INV-000007' }])
  const recent = await call(
    'GET',
    `/api/zoho/books/contacts?modified_since=${encodeURIComponent(new Date(Date.now() - 600_000).toISOString())}`,
  )
  expect((recent.body.data as object[]).length).toBe(1)
  expect((await call('GET', '/api/zoho/crm/Contacts')).body).toMatchObject({ data: [], next_cursor: null })
  expect(await call('GET', '/api/zoho/books/nothing')).toMatchObject({ status: 404, body: { code: 'module_not_found' } })
  expect(await call('GET', '/api/zoho/invoices?cursor=x')).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } })
  expect(await call('GET', '/api/zoho/invoices?modified_since=x')).toMatchObject({ status: 400, body: { code: 'invalid_time' } })

  // Viewers read records; pulls are for operators.
  await call('POST', '/api/v1/users', { username: 'looks', password: 'a-password-of-a-viewer', role: 'viewer' })
  const { data } = (await call('POST', '/api/v1/auth/login', { username: 'looks', password: 'a-password-of-a-viewer' })).body as {
    data: { access_token: string }
  }
  const as = (path: string) => fetch(`${zinc.url}${path}`, { headers: { authorization: `Bearer ${data.access_token}` } })
  expect([(await as('/api/zoho/invoices?limit=1')).status, (await as('/api/pulls/')).status]).toEqual([200, 403])
  expect((await fetch(`${zinc.url}/api/pulls/`)).status).toBe(401)
})
