import { expect } from 'vitest'
import { NO_LIMITS } from '../../src/zoho-simulator/rate-limits.ts'
import { logIn, openBrowser, visit } from '../helpers/browser.ts'
import { longTest } from '../helpers/long.ts'
import { startSecondInstance } from '../helpers/second-instance.ts'
import { startZinc } from '../helpers/zinc.ts'

const ADMIN = { username: 'admin', password: 'a-password-for-tests' }

longTest('an open page sees a waiting run end across a restart of the server', async () => {
  // Fewer calls a minute than there are pictures, so that the run is still under way when the
  // server stops.
  const first = await startZinc({ environment: { ZOHO_REQUESTS_PER_MINUTE: '12' } })
  const browser = await openBrowser()
  const { page, complaints } = await visit(browser, { origin: first.url })
  await page.goto('/settings/integrations/zoho/runs')
  await logIn(page, ADMIN)
  await page.getByRole('button', { name: 'Sync now' }).first().click()
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await page.waitForURL('**/runs/*')
  await page.getByText(/Waiting .*zinc makes at most 12 calls a minute/).waitFor()

  await first[Symbol.asyncDispose]()
  await page.getByText('The server is unreachable. Progress continues once it is back.').waitFor()
  const { port } = new URL(first.url)
  await startSecondInstance(first, { PORT: port, ZOHO_REQUESTS_PER_MINUTE: '0' })
  await page.getByText('Completed', { exact: true }).waitFor()
  const images = first.zoho.items().filter((item) => item.image_document_id !== '').length
  await expect.poll(() => page.getByRole('main').textContent()).toContain(`Images downloaded${images}`)
  expect(complaints).toEqual([])
})

longTest("when the day's calls are used up the page shows when the run resumes", async () => {
  const { url } = await startZinc({ limits: { ...NO_LIMITS, perDay: 12 } })
  const browser = await openBrowser()
  const { page, complaints } = await visit(browser, { origin: url })
  await page.goto('/settings/integrations/zoho/runs')
  await logIn(page, ADMIN)
  const start = async () => {
    await page.getByRole('button', { name: 'Sync now' }).first().click()
    await page.getByRole('button', { name: 'Start', exact: true }).click()
  }
  await start()
  await page.waitForURL('**/runs/*')
  await page.getByText('Paused', { exact: true }).waitFor()
  await page.getByText(/Resumes automatically at/).waitFor()
  const run = new URL(page.url()).pathname

  await page.getByRole('link', { name: 'Overview', exact: true }).click()
  await page.getByText('Limited', { exact: true }).first().waitFor()
  // The first sync is watched there; the list of runs offers another one.
  expect(await page.getByRole('button', { name: 'Sync now' }).count()).toBe(0)
  await page.getByRole('link', { name: 'Runs', exact: true }).click()
  await start()
  await page.getByRole('alert').getByText('sync_running').waitFor()
  await page.getByRole('link', { name: 'View that run' }).click()
  await page.waitForURL(`**${run}`)

  // Cancelled by hand, after a question that names what happens.
  await page.getByRole('button', { name: 'Cancel run' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel run' }).click()
  await page.getByText('Cancelled', { exact: true }).waitFor()
  expect(complaints).toEqual([])
})
