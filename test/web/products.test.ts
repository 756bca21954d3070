import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { axeFindings, logIn, longestTasks, openBrowser, settled, sidewaysPixels, visit } from '../helpers/browser.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc, type TestZinc } from '../helpers/zinc.ts'

const ADMIN = { username: 'admin', password: 'a-password-for-tests' }
const ROWS = 100_000
const MAX_ROWS_IN_DOCUMENT = 200
const MAX_SHIFT = 0.02
const MAX_TASK_MS = 50
const MEASURE_SHIFT = `window.shift = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value }).observe({ type: 'layout-shift', buffered: true })`

const rowsIn = (page: Page) => page.locator('[data-index]').count()

const fill = ({ services }: TestZinc) => services.db.$executeRaw`
  insert into product (name, name_en, sku, selling_price, category, brand)
  select 'Item ' || lpad(n::text, 6, '0'), 'Item ' || lpad(n::text, 6, '0'), 'S' || n, n % 5000, 'Category ' || n % 7, 'Brand ' || n % 3
  from generate_series(1, ${ROWS}) n`

longTest('100,000 products are sorted, jumped through and shown as a grid by cursors alone', async () => {
  const zinc = await startZinc()
  await fill(zinc)
  const { page, context, complaints } = await visit(await openBrowser(), { origin: zinc.url })
  await context.addInitScript(MEASURE_SHIFT)
  const asked: URL[] = []
  page.on('request', (request) => {
    if (request.url().includes('/api/products?')) asked.push(new URL(request.url()))
  })
  await page.goto('/settings/products?sort=-name')
  await logIn(page, ADMIN)
  await page.getByText('100,000 products', { exact: true }).waitFor()
  await page.getByRole('link', { name: 'Item 100000' }).waitFor()
  await page.locator('[data-index="0"]').focus()
  await page.keyboard.press('End')
  await page.getByRole('link', { name: 'Item 000001' }).waitFor()
  expect(await rowsIn(page)).toBeLessThan(MAX_ROWS_IN_DOCUMENT)
  await page.evaluate('scrollTo(0, document.documentElement.scrollHeight / 2)')
  await page
    .getByRole('link', { name: /^Item 0500/ })
    .first()
    .waitFor()

  // The heads of the columns sort, and say how.
  await page.evaluate('scrollTo(0, 0)')
  const head = page.getByRole('columnheader', { name: 'Price' })
  await head.getByRole('button').click()
  await page.waitForURL('**/settings/products?sort=selling_price')
  expect(await head.getAttribute('aria-sort')).toBe('ascending')
  await head.getByRole('button').click()
  await page.waitForURL('**/settings/products?sort=-selling_price')
  await page.getByLabel('Category').selectOption('Category 3')
  await page.getByLabel('Brand').selectOption('Brand 1')
  await page.waitForURL('**/settings/products?category=Category+3&brand=Brand+1&sort=-selling_price')
  await page.getByText('4,762 products', { exact: true }).waitFor()

  await page.getByRole('button', { name: 'Columns' }).click()
  await page.getByRole('checkbox', { name: 'Brand' }).check()
  await page.keyboard.press('Escape')
  await page.getByRole('columnheader', { name: 'Brand' }).waitFor()
  await page.getByTitle('Grid').click()
  await page.waitForURL('**&view=grid&columns=sku,price,stock,brand,picture'.replaceAll(',', '%2C'))
  await page.locator('[data-index="0"]').focus()
  await page.keyboard.press('ArrowRight')
  expect(await page.evaluate('document.activeElement.dataset.index')).toBe('1')
  expect(await rowsIn(page)).toBeLessThan(MAX_ROWS_IN_DOCUMENT)
  for (const width of [1440, 360]) {
    await page.setViewportSize({ width, height: 900 })
    expect([width, await axeFindings(page), await sidewaysPixels(page)]).toEqual([width, [], 0])
  }
  // The way back is the view as it was left.
  await page.setViewportSize({ width: 1440, height: 900 })
  const left = page.url()
  await page.locator('[data-index="2"]').getByRole('link').click()
  await page.waitForURL('**/settings/products/*-*')
  await page.getByRole('main').getByRole('link', { name: 'Products', exact: true }).click()
  await page.waitForURL(left)

  expect(asked.length).toBeGreaterThan(5)
  expect(asked.filter((url) => url.searchParams.has('offset'))).toEqual([])
  expect(await page.evaluate<number>('window.shift')).toBeLessThan(MAX_SHIFT)
  expect(complaints).toEqual([])
})

longTest('scrolling through 100,000 products keeps the page no longer than 50 ms at a time', async () => {
  const zinc = await startZinc()
  await fill(zinc)
  const { page } = await visit(await openBrowser(), { origin: zinc.url })
  await page.goto('/settings/products')
  await logIn(page, ADMIN)
  await page.getByText('100,000 products', { exact: true }).waitFor()
  await page
    .getByRole('link', { name: /^Item / })
    .first()
    .waitFor()
  for (const view of ['Table', 'Grid']) {
    await page.getByTitle(view).click()
    await page.mouse.move(700, 600)
    const tasks = await longestTasks(page, async () => {
      for (let step = 0; step < 40; step++) {
        await page.mouse.wheel(0, 700)
        await page.evaluate('new Promise(requestAnimationFrame)')
      }
      for (const share of [0.2, 0.5, 0.9]) {
        await page.evaluate(`scrollTo(0, document.documentElement.scrollHeight * ${share})`)
        await page
          .getByRole('link', { name: /^Item / })
          .first()
          .waitFor()
      }
    })
    expect([view, tasks, tasks[0]! < MAX_TASK_MS]).toEqual([view, tasks, true])
  }
})

longTest('a field of the ERP is edited, what a run changed is listed, and the search leads anywhere', async () => {
  const zinc = await startZinc({ synced: true })
  const { db } = zinc.services
  await db.fieldMapping.create({ data: { field: 'brand', owner: 'erp' } })
  const product = await db.product.findFirstOrThrow({ where: { photos: { some: {} }, sku: { not: null } } })
  const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url })
  await page.goto(`/settings/products/${product.id}`)
  await logIn(page, ADMIN)
  await settled(page)
  await page.getByRole('button', { name: 'Edit', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Brand').waitFor()
  expect(await dialog.getByRole('textbox').count()).toBe(1)
  await dialog.getByLabel('Brand').fill('House brand')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'detached' })
  expect((await db.product.findUniqueOrThrow({ where: { id: product.id } })).brand).toBe('House brand')

  for (const [tab, text] of [
    ['Details', 'House brand'],
    ['Prices', 'Selling price'],
    ['Stock', 'Stock on hand'],
    ['Changes', 'New'],
    ['Zoho', 'last_modified_time'],
  ] as const) {
    await page.getByRole('tab', { name: tab, exact: true }).click()
    await page.getByRole('tabpanel').getByText(text, { exact: true }).first().waitFor()
    expect([tab, await axeFindings(page)]).toEqual([tab, []])
  }

  // From anywhere, by keys.
  await page.getByRole('heading', { level: 1 }).click()
  await page.keyboard.press('Control+k')
  await dialog.getByRole('combobox').fill('audit')
  await dialog.getByRole('option', { name: 'Audit log' }).waitFor()
  expect(await axeFindings(page)).toEqual([])
  await dialog.getByRole('combobox').fill(product.sku!)
  await dialog.getByRole('option', { name: product.sku! }).waitFor()
  await page.keyboard.press('Enter')
  await page.waitForURL(`**/settings/products/${product.id}`)
  await page.goto('/settings/integrations/zoho/notices')
  await page.waitForURL('**/settings/integrations/zoho/notifications')
  await page.getByRole('heading', { level: 1, name: 'Notifications' }).waitFor()
  expect(complaints).toEqual([])
})
