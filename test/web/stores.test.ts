import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import { axeFindings, logIn, openBrowser, settled, visit } from '../helpers/browser.ts'
import { childEnvironment } from '../helpers/child-environment.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

longTest('an admin creates a store, runs its command, sees it complete, and revokes the token', async () => {
  const { url } = await startZinc({ synced: true })
  const dir = await mkdtemp(join(tmpdir(), 'zinc-store-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const { page, context, complaints } = await visit(await openBrowser(), { origin: url })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.goto('/settings/stores')
  await logIn(page, { username: 'admin', password: 'a-password-for-tests' })

  await page.getByText('No stores yet').waitFor()
  await page.getByRole('button', { name: 'Add store' }).first().click()
  await page.getByLabel('Code').fill('BGW-01')
  await page.getByLabel('Name').fill('Karrada')
  await page.getByRole('dialog').getByRole('button', { name: 'Add store' }).click()

  // The store's page goes on with its first token.
  await page.waitForURL('**/settings/stores/*?token=new')
  await page.getByRole('dialog').getByRole('button', { name: 'Create token' }).click()
  await page.getByText('You will only see this token once').waitFor()
  await page.getByRole('button', { name: 'Copy command' }).click()
  await page.getByText('Copied', { exact: true }).waitFor()
  const command = await page.evaluate<string>('navigator.clipboard.readText()')
  expect(command).toBe(
    `curl -fsSO ${url}/downloads/zinc-edge.js && node zinc-edge.js pull --server ${url} --store ${/stores\/([^?]+)/.exec(page.url())?.[1]} --token-file zinc-edge.token --dir ./photos`,
  )
  const token = (await page.getByRole('region', { name: 'Token', exact: true }).locator('code').textContent()) ?? ''
  expect(token.length).toBeGreaterThan(100)
  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('table', { name: 'Tokens' }).getByText('Active').waitFor()
  await page.reload()
  await settled(page)
  expect(await page.content()).not.toContain(token)
  await page.getByText('Not connected yet').waitFor()

  await writeFile(join(dir, 'zinc-edge.token'), token)
  await promisify(execFile)('sh', ['-c', command], { cwd: dir, env: childEnvironment })
  expect((await readdir(join(dir, 'photos'))).filter((name) => !name.startsWith('.'))).toHaveLength(20)
  // The page looks again by itself.
  await page.getByText('Up to date', { exact: true }).waitFor()
  await page.getByRole('link', { name: 'Stores', exact: true }).first().click()
  const row = page.getByRole('table', { name: 'Stores' }).getByRole('row').filter({ hasText: 'Karrada' })
  await row.getByText('20 of 20').waitFor()

  await row.getByRole('link').click()
  await page.getByRole('button', { name: 'Revoke' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await page.getByRole('table', { name: 'Tokens' }).getByText('Revoked').waitFor()
  expect((await fetch(`${url}/api/v1/sync/product-photos/digest`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(401)
  expect(complaints).toEqual([])
})

longTest('an admin resends, resyncs, filters, pauses, resumes and deletes a store', async () => {
  const zinc = await startZinc({ synced: true })
  const send = async <T>(path: string, body: object) =>
    (await (
      await zinc.call(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    ).json()) as { data: T }
  const { id } = (await send<{ id: string }>('/api/v1/stores', { code: 'BGW-01', name: 'Karrada' })).data
  const { token } = (await send<{ token: string }>(`/api/v1/stores/${id}/tokens`, { name: 'till' })).data
  const edge = (path: string, body?: object) =>
    fetch(`${zinc.url}/api/v1/sync/product-photos/${path}`, {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    })
  const photos = async () => ((await (await edge(`?store_id=${id}`)).json()) as { data: { photos: { id: string }[]; total: number } }).data
  const digest = async () => ((await (await edge(`digest?store_id=${id}`)).json()) as { data: { digest: string } }).data.digest
  const all = (await photos()).photos
  await edge('status/', {
    store_id: id,
    sync_batch: all.map((photo, n) => ({
      photo_id: photo.id,
      status: n < 2 ? 'failed' : 'synced',
      ...(n < 2 && { error: 'disk full' }),
    })),
  })

  const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url })
  await page.goto('/settings/stores')
  await logIn(page, { username: 'admin', password: 'a-password-for-tests' })
  const row = page.getByRole('table', { name: 'Stores' }).getByRole('row').filter({ hasText: 'Karrada' })
  await row.getByText('Has failures').waitFor()
  await row.getByRole('link').click()
  const failing = page.getByRole('table', { name: 'Failing images' })
  await expect.poll(() => failing.getByText('disk full').count()).toBe(2)
  await failing.getByRole('button', { name: 'Send again' }).first().click()
  await page.getByText('1 image will be sent again').waitFor()
  await expect.poll(() => failing.getByText('disk full').count()).toBe(1)
  const before = await digest()
  await page.getByRole('button', { name: 'Resync' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Resync' }).click()
  await page.getByText(`${all.length} images will be sent again`).waitFor()
  expect(await digest()).not.toBe(before)
  await page.getByText('Catching up').waitFor()

  // Two categories by one press each; what the store lists shrinks to them.
  await page.getByRole('radio', { name: 'Selected products' }).check()
  const inUse = page.getByRole('group', { name: 'Existing categories' }).getByRole('button')
  await inUse.first().click()
  expect(await inUse.first().getAttribute('aria-pressed')).toBe('true')
  expect(await axeFindings(page)).toEqual([])
  await inUse.nth(1).click()
  await inUse.nth(1).click()
  expect(await inUse.nth(1).getAttribute('aria-pressed')).toBe('false')
  await page.getByLabel('Edge servers of this store share images').check()
  const selection = await page.getByLabel('Categories, one per line').inputValue()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('Saved', { exact: true }).waitFor()
  const rest = (await photos()).photos.length
  expect(rest).toBeGreaterThan(0)
  expect(rest).toBeLessThan(all.length)
  const { data } = (await (await zinc.call(`/api/v1/stores/${id}`)).json()) as { data: { assortment: object; share: boolean } }
  expect(data).toMatchObject({ assortment: { categories: [selection] }, share: true })

  await page.getByRole('button', { name: 'Pause', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click()
  await page.getByText('This store is paused').waitFor()
  expect(await (await edge(`digest?store_id=${id}`)).json()).toMatchObject({ code: 'store_paused' })
  await page.getByRole('button', { name: 'Resume' }).click()
  await page.getByText('This store is paused').waitFor({ state: 'detached' })
  expect((await edge(`digest?store_id=${id}`)).status).toBe(200)

  await page.getByRole('button', { name: 'Delete store' }).click()
  const dialog = page.getByRole('dialog')
  expect(await dialog.getByRole('button', { name: 'Delete store' }).isDisabled()).toBe(true)
  await dialog.getByLabel('Type BGW-01 to confirm').fill('BGW-01')
  await dialog.getByRole('button', { name: 'Delete store' }).click()
  await page.getByText('No stores yet').waitFor()
  expect((await edge(`digest?store_id=${id}`)).status).toBe(401)
  expect(complaints).toEqual([])
})
