import { Secret, TOTP } from 'otpauth'
import { expect } from 'vitest'
import { axeFindings, logIn, openBrowser, settled, sidewaysPixels, visit } from '../helpers/browser.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

const ADMIN = { username: 'admin', password: 'a-password-for-tests' }

longTest('a person sets a second factor up, logs in with it and a recovery code, and turns it off', async () => {
  let aheadMs = 0
  const clock = { now: () => new Date(Date.now() + aheadMs), sleep: async () => {} }
  const zinc = await startZinc({ clock })
  const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url })
  const looked = async (where: string) => expect([where, await axeFindings(page), await sidewaysPixels(page)]).toEqual([where, [], 0])
  const logOut = async () => {
    await page.getByRole('button', { name: /Account and display/ }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('heading', { name: 'Log in to zinc' }).waitFor()
  }
  const enterPassword = async () => {
    await page.getByLabel('Username').fill(ADMIN.username)
    await page.getByLabel('Password', { exact: true }).fill(ADMIN.password)
    await page.getByRole('button', { name: 'Log in' }).click()
  }
  await page.goto('/settings/integrations/zoho')
  await logIn(page, ADMIN)
  await page.getByRole('button', { name: /Account and display/ }).click()
  await page.getByRole('link', { name: 'Your account' }).click()
  await settled(page)
  await page.getByRole('button', { name: 'Set up' }).click()
  const qr = page.getByRole('img', { name: 'QR code for the authenticator app' })
  await qr.waitFor()
  await looked('set-up')
  const secret = (await page
    .getByRole('region', { name: 'Two-factor authentication' })
    .getByText(/^[A-Z2-7]{32}$/)
    .textContent())!
  const code = () => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + aheadMs })
  await page.getByLabel('Code from the app').fill('000000')
  await page.getByRole('button', { name: 'Turn on' }).click()
  await page.getByRole('alert').getByText('invalid_code').waitFor()
  await page.getByLabel('Code from the app').fill(code())
  await page.getByRole('button', { name: 'Turn on' }).click()
  const list = page.getByRole('list', { name: 'Recovery codes' })
  await list.waitFor()
  const codes = await list.getByRole('listitem').allTextContents()
  expect(codes).toHaveLength(10)
  await looked('recovery codes')
  await page.getByRole('button', { name: 'I have saved them' }).click()
  await page.getByText('Recovery codes left: 10').waitFor()

  await logOut()
  await enterPassword()
  await page.getByLabel('Code from the authenticator app').waitFor()
  await looked('second step')
  aheadMs += 30_000
  await page.getByLabel('Code from the authenticator app').fill(code())
  await page.getByRole('button', { name: 'Log in', exact: true }).click()
  await page.getByRole('navigation').waitFor()
  await logOut()
  await enterPassword()
  await page.getByRole('button', { name: 'Use a recovery code' }).click()
  await page.getByLabel('Recovery code').fill(codes[0]!)
  await page.getByRole('button', { name: 'Log in', exact: true }).click()
  await page.getByText('Recovery codes left: 9').waitFor()

  // A wrong password is said where it was typed and ends no session.
  await page.getByLabel('Current password').fill('wrong')
  await page.getByLabel('New password').fill('cedar-lamp-14-river')
  await page.getByRole('button', { name: 'Change password' }).click()
  await page.getByRole('alert').getByText('invalid_credentials').waitFor()
  await page.getByLabel('Current password').fill(ADMIN.password)
  await page.getByRole('button', { name: 'Change password' }).click()
  await page.getByText('Password changed').waitFor()
  expect(await page.getByRole('table', { name: 'Sessions' }).getByRole('row').count()).toBe(2)

  aheadMs += 30_000
  await page.getByRole('button', { name: 'Turn off' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Current password').fill('cedar-lamp-14-river')
  await dialog.getByLabel('Code from the app, or a recovery code').fill(code())
  await dialog.getByRole('button', { name: 'Turn off' }).click()
  await page.getByRole('button', { name: 'Set up' }).waitFor()
  expect(complaints).toEqual([])
})

longTest('who must have a second factor sees only its set-up until it is on, in Arabic', async () => {
  const zinc = await startZinc({ environment: { REQUIRE_SECOND_FACTOR: 'all' } })
  const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url, language: 'ar', width: 360 })
  await page.goto('/settings/products')
  await page.getByLabel('اسم المستخدم').fill(ADMIN.username)
  await page.getByLabel('كلمة المرور', { exact: true }).fill(ADMIN.password)
  await page.getByRole('button', { name: 'تسجيل الدخول' }).click()
  await page.getByRole('heading', { name: 'إعداد المصادقة الثنائية' }).waitFor()
  await page.getByRole('button', { name: 'إعداد' }).click()
  await page.getByRole('img', { name: /QR/ }).waitFor()
  expect([await axeFindings(page), await sidewaysPixels(page)]).toEqual([[], 0])
  const secret = (await page.getByText(/^[A-Z2-7]{32}$/).textContent())!
  await page.getByLabel('رمز التطبيق').fill(new TOTP({ secret: Secret.fromBase32(secret) }).generate())
  await page.getByRole('button', { name: 'تفعيل' }).click()
  await page.getByRole('button', { name: 'حفظتها' }).click()
  await page.getByRole('heading', { level: 1, name: 'المنتجات' }).waitFor()
  expect(complaints).toEqual([])
})
