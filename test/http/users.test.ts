import { expect } from 'vitest'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

longTest('admins keep the users; the last admin stays; a change ends the logins of the one it is about', async () => {
  const { url, call, services } = await startZinc()
  const users = (method: string, path = '', body?: object) =>
    call(`/api/v1/users${path}`, { method, ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }) })
  const data = async <T>(response: Response) => ((await response.json()) as { data: T }).data
  const logIn = async (username: string, password: string) => {
    const response = await fetch(`${url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password }),
    })
    return (await data<{ access_token: string } | undefined>(response))?.access_token
  }
  const as = (token: string | undefined, path: string) => fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } })
  interface User {
    id: string
    username: string
    role: string
    last_login_at: string | null
  }

  const [admin] = await data<User[]>(await users('GET'))
  expect(admin).toMatchObject({ username: 'admin', role: 'admin', second_factor: false })
  for (const [method, body] of [
    ['DELETE', undefined],
    ['PATCH', { role: 'viewer' }],
  ] as const) {
    const refused = await users(method, `/${admin!.id}`, body)
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([409, 'last_admin'])
  }

  const made = await users('POST', '', { username: 'ليلى', password: 'first password', role: 'operator' })
  expect(made.status).toBe(201)
  const layla = await data<User>(made)
  expect(JSON.stringify(layla)).not.toContain('first password')
  expect((await users('POST', '', { username: 'ليلى', password: 'first password', role: 'viewer' })).status).toBe(409)
  for (const wrong of [
    { username: '', password: 'first password', role: 'viewer' },
    { username: 'x', password: 'short', role: 'viewer' },
    { username: 'x', password: 'first password', role: 'edge' },
    { username: 'a\nb', password: 'first password', role: 'viewer' },
  ])
    expect((await users('POST', '', wrong)).status).toBe(400)

  const operator = await logIn('ليلى', 'first password')
  expect((await as(operator, '/api/settings/integrations/zoho/audit')).status).toBe(200)
  expect((await as(operator, '/api/v1/users')).status).toBe(403)
  // Downgraded: the token of before is refused at the next request.
  expect((await users('PATCH', `/${layla.id}`, { role: 'viewer' })).status).toBe(200)
  expect((await as(operator, '/api/v1/auth/me')).status).toBe(401)
  const viewer = await logIn('ليلى', 'first password')
  expect((await as(viewer, '/api/products')).status).toBe(200)
  expect((await as(viewer, '/api/settings/integrations/zoho/audit')).status).toBe(403)
  expect((await users('PATCH', `/${layla.id}`, { password: 'second password' })).status).toBe(200)
  expect((await as(viewer, '/api/products')).status).toBe(401)
  expect(await logIn('ليلى', 'first password')).toBeUndefined()

  const last = await logIn('ليلى', 'second password')
  expect((await data<User>(await users('DELETE', `/${layla.id}`))).username).toBe('ليلى')
  expect((await as(last, '/api/products')).status).toBe(401)
  expect((await users('DELETE', `/${layla.id}`)).status).toBe(404)
  expect((await users('DELETE', '/nobody')).status).toBe(400)

  // Two admins who remove each other at the same moment: one stays.
  const second = await data<User>(await users('POST', '', { username: 'second', password: 'first password', role: 'admin' }))
  const token = await logIn('second', 'first password')
  const both = await Promise.all([
    users('DELETE', `/${second.id}`),
    fetch(`${url}/api/v1/users/${admin!.id}`, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } }),
  ])
  expect(both.filter((response) => response.status === 200)).toHaveLength(1)
  expect(await services.db.appUser.count({ where: { role: 'admin' } })).toBe(1)

  const audit = await services.db.auditEntry.findMany({
    where: { target: 'user:ليلى', action: { startsWith: 'user.' } },
    orderBy: { id: 'asc' },
  })
  expect(audit.map((entry) => `${entry.action} ${entry.fields.join(',')}`)).toEqual([
    'user.create username,password,role: operator',
    'user.change role: operator → viewer',
    'user.change password',
    'user.delete ',
  ])
  expect(JSON.stringify(audit, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))).not.toMatch(
    /first password|argon2/,
  )
})
