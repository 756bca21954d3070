import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { logIn, openBrowser, settled, visit } from '../helpers/browser.ts'
import { runZinc } from '../helpers/cli.ts'
import { startZinc } from '../helpers/zinc.ts'

test('an admin creates a store, copies its command, runs it, and sees the store complete; the token is shown once and can be revoked', async () => {
  const { url, sync } = await startZinc()
  await sync('?sync_images=true')
  const dir = await mkdtemp(join(tmpdir(), 'zinc-store-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const { page, context, complaints } = await visit(await openBrowser(), { origin: url })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.goto('/settings/stores')
  await logIn(page, { username: 'admin', password: 'a-password-for-tests' })

  await page.getByText('No stores yet').waitFor()
  await page.getByRole('button', { name: 'New store' }).first().click()
  await page.getByLabel('Code').fill('BGW-01')
  await page.getByLabel('Name').fill('Karrada')
  await page.getByRole('button', { name: 'Create store' }).click()

  // The store's page goes on with its first token.
  await page.waitForURL('**/settings/stores/*?token=new')
  await page.getByRole('button', { name: 'Make token' }).click()
  await page.getByText('It is shown this once').waitFor()
  await page.getByRole('button', { name: 'Copy command' }).click()
  await page.getByText('Copied', { exact: true }).waitFor()
  const command = await page.evaluate<string>('navigator.clipboard.readText()')
  const token = /--token (\S+)/.exec(command)?.[1] ?? ''
  expect(command).toBe(
    `npx zinc edge pull --server ${url} --store ${/stores\/([^?]+)/.exec(page.url())?.[1]} --token ${token} --dir ./photos`,
  )
  expect(token.length).toBeGreaterThan(100)
  await page.getByRole('button', { name: 'I have copied it' }).click()
  await page.getByRole('table', { name: 'Tokens' }).getByText('Active').waitFor()
  await page.reload()
  await settled(page)
  expect(await page.content()).not.toContain(token)
  await page.getByText('Not connected yet').waitFor()

  const pulled = await runZinc([...command.replace('npx zinc ', '').replace('./photos', dir).split(' ')])
  expect(pulled, pulled.stderr).toMatchObject({ status: 0 })
  expect((await readdir(dir)).filter((name) => !name.startsWith('.'))).toHaveLength(20)
  // The page looks again by itself.
  await page.getByText('Complete', { exact: true }).waitFor()
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
