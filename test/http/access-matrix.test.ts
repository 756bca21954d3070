import pLimit from 'p-limit'
import { expect, test } from 'vitest'
import { API_KEY_SCOPES, type ApiKeyScope } from '../../src/facts/api-key-scopes.ts'
import { times } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

const NOWHERE = '00000000-0000-4000-8000-000000000000'
const RANK = { viewer: 1, operator: 2, admin: 3 }
type Role = keyof typeof RANK
interface Operation {
  tags?: string[]
  summary?: string
  description: string
  security: object[]
  responses: Record<string, object>
  'x-scope'?: string
}

interface Access {
  role: Role
  edge: boolean
  signed: boolean
  scope: string | null
}

/** Everything that asks for no login, and why it may. */
const PUBLIC: Record<string, string> = {
  // The edge client has no token before it is installed.
  'get /downloads/zinc-edge.js': 'everyone',
  'get /health/live': 'everyone',
  'get /health/ready': 'everyone',
  'get /metrics': 'direct connections',
  'post /api/v1/auth/login': 'everyone',
  'post /api/v1/auth/refresh': 'everyone',
  'get /api/settings/integrations/zoho/oauth/callback': 'the browser that began',
  'post /api/settings/integrations/zoho/oauth/link/follow': 'the secret of the link',
  'post /api/settings/integrations/zoho/webhook': 'the signature',
}
/** What people without the second factor that they must have may still do. */
const WITHOUT_SECOND_FACTOR = [
  'post /api/v1/auth/logout',
  'get /api/v1/auth/me',
  'post /api/v1/auth/totp',
  'post /api/v1/auth/totp/confirm',
]

/** What the document says of who may use an operation. */
function accessOf({ description, 'x-scope': scope }: Operation): Access | null {
  const [, role] = /the role (viewer|operator|admin)/.exec(description) ?? []
  if (role === undefined) return null
  expect(description).toContain(scope === undefined ? 'API keys are refused.' : `API keys need the scope ${scope}.`)
  const edge = description.includes('edge server of the store')
  return { role: role as Role, edge, signed: description.includes('signed URL'), scope: scope ?? null }
}

test('every operation answers every kind of caller as the document says', async () => {
  const { url, call, services } = await startZinc({ environment: { REQUIRE_SECOND_FACTOR: 'admin' } })
  const { users, sessions, edgeTokens, stores } = services
  const by = { actor: 'test', request_id: null, ip: null }
  const person = async (username: string, role: Role, address: string | null) => {
    const user = await users.create({ username, password: 'cedar-lamp-14-river', role }, by)
    return (await sessions.open(user, address)).access_token
  }
  const store = async (code: string) => {
    const { id } = await stores.create({ code, name: code }, by)
    return { id, ...(await edgeTokens.issue(id, { name: code }, by)) }
  }
  const [mine, other, paused, revoked] = [await store('MINE'), await store('OTHER'), await store('PAUSED'), await store('REVOKED')]
  await stores.change(paused.id, { paused: true }, by)
  await edgeTokens.revoke(null, revoked.row.id, by)
  const ended = await person('ended', 'operator', '192.0.2.1')
  await services.db.session.updateMany({ where: { user: { username: 'ended' } }, data: { ended_at: new Date() } })
  const alone = await person('alone', 'admin', '192.0.2.1')

  const keyOf = async (role: Role, scopes: ApiKeyScope[]) => {
    const { id } = await services.db.appUser.findUniqueOrThrow({ where: { username: role } })
    return (await services.apiKeys.create({ name: `${role} ${scopes}`, scopes, days: null }, { user_id: id, role }, by)).key
  }

  /** Each with the refusal that it gets; undefined where it is let in. */
  const role = (mine: Role) => (needs: Access) => (RANK[mine] < RANK[needs.role] ? '403 forbidden' : undefined)
  const edge = (refusal?: string) => (needs: Access) => (needs.edge ? refusal : '403 edge_token_not_allowed')
  const callers: Record<string, { token?: string; refused(needs: Access, name: string): string | undefined }> = {
    nobody: { refused: () => '401 unauthenticated' },
    'a made-up token': { token: 'x.y.z', refused: () => '401 unauthenticated' },
    'an ended session': { token: ended, refused: () => '401 unauthenticated' },
    viewer: { token: await person('viewer', 'viewer', '192.0.2.1'), refused: role('viewer') },
    operator: { token: await person('operator', 'operator', '192.0.2.1'), refused: role('operator') },
    'admin of the command line': { token: await person('admin2', 'admin', null), refused: role('admin') },
    'admin without second factor': {
      token: alone,
      refused: (_needs, name) => (WITHOUT_SECOND_FACTOR.includes(name) ? undefined : '403 second_factor_setup_required'),
    },
    'the edge server of the store': { token: mine.token, refused: edge() },
    'the edge server of another store': { token: other.token, refused: edge('403 store_mismatch') },
    'the edge server of a paused store': { token: paused.token, refused: edge('403 store_paused') },
    'a key of an admin with every scope': {
      token: await keyOf('admin', [...API_KEY_SCOPES]),
      refused: ({ scope }) => (scope === null ? '403 not_for_keys' : undefined),
    },
    'a key of a viewer with every scope that reads': {
      token: await keyOf(
        'viewer',
        API_KEY_SCOPES.filter((scope) => scope.endsWith(':read')),
      ),
      refused: (needs) =>
        needs.scope === null ? '403 not_for_keys' : !needs.scope.endsWith(':read') ? '403 insufficient_scope' : role('viewer')(needs),
    },
    'a revoked edge token': { token: revoked.token, refused: () => '401 unauthenticated' },
  }
  const { paths } = (await (await call('/docs/json')).json()) as { paths: Record<string, Record<string, Operation>> }
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, method: method.toUpperCase(), path, operation })),
  )
  expect(operations.length).toBeGreaterThan(120)
  for (const { name, operation } of operations) {
    expect(operation.tags, name).toHaveLength(1)
    expect(operation.summary?.length, name).toBeGreaterThan(5)
    expect(Object.keys(operation.responses), name).toContain('default')
  }
  const open = operations.filter(({ operation }) => operation.security.length === 0)
  expect(open.map(({ name }) => name).sort()).toEqual(Object.keys(PUBLIC).sort())
  for (const { name, operation } of open) expect(operation.description).toContain(PUBLIC[name])

  /**
   * The handler of an operation that lets the caller in is not to run: nothing takes this body, nor
   * this parameter.
   */
  async function ask(
    { method, path }: { method: string; path: string },
    access: Access | null,
    token: string | undefined,
    storeId: string,
  ) {
    const at = path.replace(/\{filename\}/, '1.jpg').replace(/\{[^}]+\}/g, NOWHERE)
    const isRead = method === 'GET' || method === 'HEAD'
    const body = access?.edge ? { store_id: storeId, photo_ids: [NOWHERE], sync_batch: [] } : null
    const response = await fetch(`${url}${at}?${access?.edge ? `store_id=${storeId}` : 'no_such_parameter=1'}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(!isRead && { 'content-type': body ? 'application/json' : 'text/x-nothing' }),
      },
      ...(!isRead && { body: body ? JSON.stringify(body) : 'x' }),
    })
    const text = await response.text()
    const code = response.headers.get('content-type')?.startsWith('application/json')
      ? (JSON.parse(text) as { code?: string }).code
      : undefined
    return { status: response.status, answer: `${response.status} ${code}`, text }
  }
  const wrong: string[] = []
  // A crowd of requests would wait for the database longer than it may.
  const limit = pLimit(6)
  for (const [caller, { token, refused }] of Object.entries(callers)) {
    const storeOf = caller.includes('paused') ? paused.id : mine.id
    await Promise.all(
      operations.map((operation) =>
        limit(async () => {
          const access = accessOf(operation.operation)
          // Where nobody is asked for, one caller stands for all.
          if (access === null && caller !== 'viewer') return
          const { status, answer, text } = await ask(operation, access, token, storeOf)
          const expected = access === null ? undefined : refused(access, operation.name)
          if (expected === '401 unauthenticated' && !text.includes('/api/v1/auth/login'))
            wrong.push(`${caller}: ${operation.name} names no login`)
          const isIn = status !== 401 && status !== 403 && status < 500
          if (access === null ? status >= 500 : expected === undefined ? !isIn : answer !== expected)
            wrong.push(`${caller}: ${operation.name} answered ${answer}, not ${expected ?? 'let in'}`)
        }),
      ),
    )
  }
  // One operation stands for all of a scope; a long run tries every operation with every scope.
  const ofScopes = new Map(operations.flatMap((it) => (it.operation['x-scope'] ? [[it.operation['x-scope'], it] as const] : [])))
  expect([...ofScopes.keys()].sort()).toEqual([...API_KEY_SCOPES].sort())
  const tried = times(0, 1) === 1 ? operations.filter(({ operation }) => operation['x-scope']) : [...ofScopes.values()]
  for (const scope of API_KEY_SCOPES) {
    const token = await keyOf('admin', [scope])
    await Promise.all(
      tried.map((operation) =>
        limit(async () => {
          const other = operation.operation['x-scope']
          const { answer, text } = await ask(operation, accessOf(operation.operation), token, mine.id)
          const isTold = text.includes(`"required_scope":"${other}"`)
          if (other === scope ? /^(401|403|5)/.test(answer) : answer !== '403 insufficient_scope' || !isTold)
            wrong.push(`a key with ${scope}: ${operation.name} answered ${answer}`)
        }),
      ),
    )
  }
  expect(wrong).toEqual([])
  expect((await fetch(`${url}/docs`)).status).toBe(200)
})
