import type { Locator } from 'playwright-core'
import { expect } from 'vitest'
import { frameMessages } from '../../src/web/app/messages.ts'
import { commonMessages } from '../../src/web/components/messages.ts'
import { failureMessages } from '../../src/web/failures/messages.ts'
import { connectionMessages } from '../../src/web/pages/connection/messages.ts'
import { modulesMessages } from '../../src/web/pages/modules/messages.ts'
import { productMessages } from '../../src/web/pages/product/messages.ts'
import { usersMessages } from '../../src/web/pages/users/messages.ts'
import { pullsMessages } from '../../src/web/pulls/messages.ts'
import { startMessages } from '../../src/web/runs/start-messages.ts'
import { storesMessages } from '../../src/web/stores/messages.ts'
import { type Language, logIn, openBrowser, settled, visit } from '../helpers/browser.ts'
import { drawnImage } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

const HOME = '/settings/integrations/zoho'
const LANGUAGES: Language[] = ['en', 'ar']

longTest.each(LANGUAGES)('each everyday task takes no more clicks than it ever did, in %s', async (language) => {
  const zinc = await startZinc()
  const broken = zinc.zoho.items().find((item) => item.image_document_id !== '')!
  zinc.zoho.fail({ path: new RegExp(`items/${broken.item_id}/image`), status: 500, times: 99 })
  await zinc.sync('?sync_images=true')
  zinc.zoho.clearFaults()
  const { page, context } = await visit(await openBrowser(), { origin: zinc.url, language })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.goto(HOME)
  await logIn(page, { username: 'admin', password: 'a-password-for-tests' })

  const counted: Record<string, number> = {}
  const task = async (name: string, path: string, work: (click: (target: Locator) => Promise<void>) => Promise<unknown>) => {
    await page.goto(path)
    await settled(page)
    counted[name] = 0
    await work(async (target) => {
      counted[name]!++
      await target.click()
    })
  }
  const button = (name: string) => page.getByRole('button', { name, exact: true })
  const link = (name: string) => page.getByRole('link', { name, exact: true })
  const dialog = page.getByRole('dialog')
  const frame = frameMessages[language]
  const connection = connectionMessages[language]
  const pulls = pullsMessages[language]
  const stores = storesMessages[language]
  const product = productMessages[language]
  const users = usersMessages[language]

  await task('test the connection', HOME, async (click) => {
    await click(link(frame.connection))
    await click(button(connection.test))
    await page.getByText(connection.testAllGood).waitFor()
  })
  await task('retry failures', `${HOME}/failures`, async (click) => {
    await click(button(failureMessages[language].retryGroup))
    await page.waitForURL('**/runs/*')
  })
  await task('sync', HOME, async (click) => {
    await click(button(startMessages[language].syncNow).first())
    await click(button(startMessages[language].start))
    await page.waitForURL('**/runs/*')
  })
  await task('find a product without an image', HOME, async (click) => {
    await click(page.getByRole('link', { name: /Without image|بلا صورة/ }))
    await click(page.locator('[data-index="0"]').getByRole('link'))
    await page.waitForURL('**/settings/products/*-*')
  })
  const bare = new URL(page.url()).pathname
  await task('upload images', bare, async (click) => {
    const choosing = page.waitForEvent('filechooser')
    await click(button(product.addImages).first())
    const names = ['front.png', 'side.png', 'back.png']
    await (await choosing).setFiles(
      await Promise.all(names.map(async (name) => ({ name, mimeType: 'image/png', buffer: await drawnImage() }))),
    )
    for (const name of names) await button(product.menuOf({ name })).waitFor()
  })
  for (const [name, item] of [
    ['choose the primary image', product.makePrimary],
    ['delete an image', product.remove],
  ] as const)
    await task(name, bare, async (click) => {
      const menus = page.getByRole('button', { name: product.menuOf({ name: '' }).trim() })
      await click(menus.last())
      await click(page.getByRole('menuitem', { name: item }))
    })
  await task('describe an image', bare, async (click) => {
    await click(page.getByRole('button', { name: product.menuOf({ name: '' }).trim() }).first())
    await click(page.getByRole('menuitem', { name: product.details }))
    await dialog.getByLabel(product.altEn).fill('The front')
    await click(dialog.getByRole('button', { name: commonMessages[language].save }))
    await dialog.waitFor({ state: 'detached' })
  })
  await task('add a store and copy its command', '/settings/stores', async (click) => {
    await click(button(stores.create).first())
    await dialog.getByLabel(stores.code).first().fill('BGW-01')
    await dialog.getByLabel(stores.name).first().fill('Karrada')
    await click(dialog.getByRole('button', { name: stores.make }))
    await page.waitForURL('**?token=new')
    await click(dialog.getByRole('button', { name: stores.makeToken }))
    await click(button(stores.copyCommand))
  })
  for (const round of [1, 2])
    await task(`pull ${round}`, '/settings/pulls', async (click) => {
      await click(button(pulls.start).first())
      await click(button(pulls.startNow))
      await page.waitForURL('**/runs/*')
      await zinc.services.runs.wait(page.url().split('/').at(-1)!, AbortSignal.timeout(120_000))
    })
  await task('verify a pull', HOME, async (click) => {
    await click(link(frame.pulls))
    await click(page.getByRole('table', { name: pulls.sessions }).getByRole('link').first())
    await click(button(pulls.verify))
    await click(page.getByRole('menuitem', { name: pulls.verifyFull }))
  })
  await task('compare two pulls', '/settings/pulls', async (click) => {
    await click(link(pulls.compare))
    await page.getByRole('table', { name: pulls.modules }).waitFor()
  })
  await task('schedule', `${HOME}/modules`, async (click) => {
    await click(button(modulesMessages[language].suggested).first())
    await click(button(modulesMessages[language].save).first())
    await page.getByText(modulesMessages[language].saved).waitFor()
  })
  await task('add a user', '/settings/users', async (click) => {
    await click(button(users.add).first())
    await dialog.getByLabel(users.username).fill('layla')
    await dialog.getByLabel(users.password, { exact: true }).fill('a-password-of-theirs')
    await click(dialog.getByRole('radio', { name: /^(Operator|مشغّل)/ }))
    await click(dialog.getByRole('button', { name: users.add }))
    await page.getByText(users.added({ name: 'layla' })).waitFor()
  })
  await task('log out', HOME, async (click) => {
    await click(page.getByRole('button', { name: frame.account }))
    await click(page.getByRole('button', { name: frame.logout }))
    await page.getByLabel(/Username|اسم المستخدم/).waitFor()
  })
  // Before the page was arranged anew: comparing took a click and two choices.
  expect(counted).toEqual({
    'test the connection': 2,
    'retry failures': 1,
    sync: 2,
    'find a product without an image': 2,
    'upload images': 1,
    'choose the primary image': 2,
    'delete an image': 2,
    'describe an image': 3,
    'add a store and copy its command': 4,
    'pull 1': 2,
    'pull 2': 2,
    'verify a pull': 4,
    'compare two pulls': 1,
    schedule: 2,
    'add a user': 3,
    'log out': 2,
  })
})
