import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { stripVTControlCharacters } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { startZinc } from '../helpers/zinc.ts'

const DOWN = '\x1b[B'
const CTRL_C = '\x03'

/** A program on a terminal of its own (`script` of util-linux makes one), as a person sees it. */
function onTerminal(command: string, environment: Record<string, string>) {
  const child: ChildProcess = spawn('script', ['-qec', command, '/dev/null'], {
    env: { PATH: process.env.PATH ?? '', TERM: 'xterm', SHELL: '/bin/sh', ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let screen = ''
  child.stdout!.on('data', (chunk) => {
    screen += stripVTControlCharacters(String(chunk))
  })
  return {
    screen: () => screen,
    ended: once(child, 'exit') as Promise<[number | null]>,
    /** Waits until the screen shows `text` beyond what was read before, and forgets what led there. */
    async until(text: string): Promise<void> {
      while (!screen.includes(text)) await once(child.stdout!, 'data')
      screen = screen.slice(screen.indexOf(text) + text.length)
    },
    type: (keys: string) => child.stdin!.write(keys),
  }
}

test.runIf(process.platform === 'linux')('the menu runs what is chosen, comes back, and Ctrl-C ends it without a stack', async () => {
  const zinc = await startZinc()
  const menu = onTerminal(`${process.execPath} bin/zinc.js menu`, zinc.environment)
  await menu.until('❯ Pull everything that changed')
  for (const next of ['Pull some modules', 'Verify the files', 'Verify quickly', 'Sync the items', 'Status']) {
    menu.type(DOWN)
    await menu.until(`❯ ${next}`)
  }
  menu.type('\r')
  await menu.until('460000001') // the organisation, in what `zinc status` answers
  await menu.until('❯ Pull everything that changed')
  menu.type(CTRL_C)
  const [status] = await menu.ended
  expect(status).toBe(0)
  expect(menu.screen()).not.toMatch(/error|at .*\.js/i)
})
