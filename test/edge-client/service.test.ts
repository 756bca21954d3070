import { expect, test } from 'vitest'
import { edgeService, printService } from '../../src/cli/edge-service.ts'

const STORE = '00000000-0000-4000-8000-000000000001'
const CALL = {
  server: 'https://zinc.example',
  store: STORE,
  dir: '/srv/50% of "all" $HOME',
  limit: '08:00,256k 22:00,off',
  share: true,
  user: 'shop',
}
const service = (call: Partial<typeof CALL> = {}) => edgeService({ ...CALL, ...call }, ['node', '/opt/zinc-edge.js'])

test('a unit starts at boot, restarts, writes to its folder alone and reads the token from a file', () => {
  expect(printService(service(), 'systemd').split('\n')).toEqual(
    expect.arrayContaining([
      // systemd replaces `%` and `$`, unless they are doubled.
      `ExecStart="node" "/opt/zinc-edge.js" "pull" "--server" "https://zinc.example" "--store" "${STORE}" "--dir" "/srv/50%% of \\"all\\" $$HOME" "--token-file" "/etc/zinc-edge/${STORE}.token" "--watch" "60" "--limit" "08:00,256k 22:00,off" "--share"`,
      'User=shop',
      'Restart=always',
      'ProtectSystem=strict',
      'ReadWritePaths="/srv/50%% of \\"all\\" $$HOME"',
      'WantedBy=multi-user.target',
    ]),
  )
})

test.each([
  ['launchd', /<string>\/srv\/50% of "all" \$HOME<\/string>[\s\S]*<key>RunAtLoad<\/key><true\/>[\s\S]*<key>KeepAlive<\/key><true\/>/],
  ['windows', /"\/srv\/50% of \\"all\\" \$HOME"[\s\S]*New-ScheduledTaskTrigger -AtStartup[\s\S]*-User 'shop'/],
] as const)('for %s the service starts at boot and restarts', (system, definition) => {
  expect(printService(service(), system)).toMatch(definition)
})

test('a store or an account that could lead elsewhere as a file name is refused', () => {
  expect(() => service({ store: '../../etc/passwd' })).toThrow(expect.objectContaining({ code: 'invalid_store_id' }))
  expect(() => service({ user: 'a b' })).toThrow(expect.objectContaining({ code: 'invalid_user' }))
})
