import { expect } from 'vitest'
import { runZinc } from '../helpers/cli.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

longTest('people are added, listed and given passwords on the command line, and an admin gets a token for curl', async () => {
  const zinc = await startZinc()
  const cli = (args: string[], more: Record<string, string> = {}) => runZinc(args, { ...zinc.environment, ...more })
  const logIn = async (username: string, password: string) => {
    const response = await fetch(`${zinc.url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password }),
    })
    return { status: response.status, token: ((await response.json()) as { data?: { access_token: string } }).data?.access_token }
  }

  const token = await cli(['login'])
  expect(token.status).toBe(0)
  const users = await fetch(`${zinc.url}/api/v1/users`, { headers: { authorization: `Bearer ${token.stdout.trim()}` } })
  expect(users.status).toBe(200)
  expect(await cli(['login', '--username', 'nobody'])).toMatchObject({ status: 1, stderr: expect.stringContaining('nobody') })

  const made = JSON.parse((await cli(['--json', 'user', 'add', 'layla', '--role', 'operator'])).stdout) as { data: { password: string } }
  expect((await logIn('layla', made.data.password)).status).toBe(200)
  expect(await cli(['user', 'add', 'layla'], { ZINC_PASSWORD: 'cedar-lamp-14-river' })).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('layla'),
  })
  expect(await cli(['user', 'add', 'omar'], { ZINC_PASSWORD: 'short' })).toMatchObject({ status: 2 })
  expect(await cli(['user', 'add', 'omar', '--role', 'king'], { ZINC_PASSWORD: 'cedar-lamp-14-river' })).toMatchObject({ status: 2 })

  const before = await logIn('layla', made.data.password)
  const changed = await cli(['user', 'passwd', 'layla'], { ZINC_PASSWORD: 'another password' })
  expect(changed).toMatchObject({ status: 0 })
  expect(changed.stdout + changed.stderr).not.toContain('another password')
  expect((await logIn('layla', made.data.password)).status).toBe(401)
  expect((await logIn('layla', 'another password')).status).toBe(200)
  // Ended by another process: within a second.
  await new Promise((resolve) => setTimeout(resolve, 1_050))
  expect((await fetch(`${zinc.url}/api/v1/auth/me`, { headers: { authorization: `Bearer ${before.token}` } })).status).toBe(401)

  const list = await cli(['user', 'list'])
  expect(list.stdout).toMatch(/^admin {5}admin/m)
  expect(list.stdout).toMatch(/^operator {2}layla {2}last login/m)
})
