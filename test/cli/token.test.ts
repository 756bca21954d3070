import { expect } from 'vitest'
import { runZinc } from '../helpers/cli.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

longTest('stores and the tokens of their edge servers are made, listed and revoked on the command line', async () => {
  const zinc = await startZinc()
  const cli = (...args: string[]) => runZinc(args, zinc.environment)
  const made = await cli('store', 'add', '--code', 'BGH-1', '--name', 'متجر')
  const storeId = made.stdout.trim()
  expect(made).toMatchObject({ status: 0, stderr: expect.stringContaining(`zinc token issue --store ${storeId}`) })
  const digest = async (token: string) =>
    (await fetch(`${zinc.url}/api/v1/sync/product-photos/digest?store_id=${storeId}`, { headers: { authorization: `Bearer ${token}` } }))
      .status

  // By the code or the id; the secret alone on stdout, for a pipe.
  const issued = await cli('token', 'issue', '--store', 'BGH-1', '--name', 'front desk')
  const secret = issued.stdout.trim()
  expect(await digest(secret)).toBe(200)
  const endless = JSON.parse((await cli('--json', 'token', 'issue', '--store', storeId, '--name', 'back', '--days', '0')).stdout) as {
    data: { id: string; token: string; expires_at: string | null }
  }
  expect([await digest(endless.data.token), endless.data.expires_at]).toEqual([200, null])

  const list = (await cli('token', 'list', '--store', storeId)).stdout
  expect(list).toMatch(/^[0-9a-f-]{36}\tfront desk\t\d{4}-\d\d-\d\dT\S+Z\n[0-9a-f-]{36}\tback\tno end\n$/)
  expect(list).not.toContain(secret.split('.')[2])
  const id = list.slice(0, 36)

  expect(await cli('token', 'revoke', id)).toMatchObject({ status: 0, stdout: `Token ${id} is revoked.\n` })
  expect((await cli('token', 'list', '--store', 'BGH-1')).stdout).toMatch(new RegExp(`^${id}\tfront desk\trevoked \\d{4}-`))
  // Revoked by another process: refused here within a second.
  await new Promise((resolve) => setTimeout(resolve, 1_050))
  expect([await digest(secret), await digest(endless.data.token)]).toEqual([401, 200])

  // Wrong calls: 2 and what is wrong; what is not there: 1.
  expect(await cli('token', 'revoke', secret)).toMatchObject({ status: 2, stderr: expect.stringContaining('not the token itself') })
  expect(await cli('token', 'issue', '--store', 'BGH-1')).toMatchObject({ status: 2, stderr: expect.stringContaining('--name') })
  expect(await cli('token', 'list', '--store', 'nowhere')).toMatchObject({ status: 1, stderr: expect.stringContaining('Store not found') })
})
