import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { openFaultProxy } from '../helpers/fault-proxy.ts'
import { longTestOnLinux } from '../helpers/long.ts'
import { CTRL_C, onTerminal } from '../helpers/terminal.ts'
import { startShop } from '../helpers/test-shop.ts'

const COLUMNS = 100
const [HIDE_CURSOR, SHOW_CURSOR] = ['\x1b[?25l', '\x1b[?25h']

longTestOnLinux('on a terminal a pull draws one growing bar and restores the cursor at its end and on Ctrl-C', async () => {
  const shop = await startShop()
  const store = await shop.addStore()
  const size = (await store.list()).photos.reduce((sum, photo) => sum + photo.size, 0)
  const line = await openFaultProxy(shop.url, { bytesPerSecond: Math.ceil(size / 5) })
  onTestFinished(line.close)
  const dir = await mkdtemp(join(tmpdir(), 'zinc-terminal-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const command = `stty cols ${COLUMNS}; exec ${process.execPath} src/cli/main.ts edge pull --server ${line.url} --store ${store.id} --dir ${dir}`
  const pullOnTerminal = () => onTerminal(command, { ZINC_EDGE_TOKEN: store.token })

  const given = pullOnTerminal()
  await given.until(/ [1-9]\d*\/20 /) // a picture has come: the line is in use
  line.cut()
  await given.until(/\d drops/)
  given.type(CTRL_C)
  expect((await given.ended)[0]).toBe(1)
  expect(given.screen()).toContain('Stopped. Completed work is kept; the next run continues from there.')
  expect(given.screen()).not.toMatch(/^ +at /m)
  expect(given.bytes().lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(given.bytes().lastIndexOf(HIDE_CURSOR))
  const kept = (await readdir(dir)).filter((name) => !name.startsWith('.')).length

  const whole = pullOnTerminal()
  expect((await whole.ended)[0]).toBe(0)
  const frames = [...whole.screen().matchAll(/pull ([█░]+) (\d+)\/(\d+) {2}(\d+\.\d) MB of (\d+\.\d) MB {2}(\d+\.\d) MB\/s/g)]
  const done = frames.map((frame) => Number(frame[2]))
  const wanted = 20 - kept
  expect(done).toEqual(done.toSorted((a, b) => a - b))
  expect(done.some((n) => n > 0 && n < wanted)).toBe(true)
  expect([frames.at(-1)![2], frames.at(-1)![3]]).toEqual([String(wanted), String(wanted)])
  expect(frames.at(-1)![1]).toMatch(/^█+$/)
  for (const [frame] of frames) expect(frame.length).toBeLessThanOrEqual(COLUMNS)
  // One line that is drawn again and again, and below it the answer.
  const shown = whole.screen().trimEnd().split('\r\n')
  expect(shown).toHaveLength(2)
  expect(shown[1]).toMatch(new RegExp(`^${wanted} pulled \\(.* 0 failed`))
  expect(whole.bytes().lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(whole.bytes().lastIndexOf(HIDE_CURSOR))
})
