import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { checkImages } from '../helpers/check-images.ts'
import { childEnvironment } from '../helpers/child-environment.ts'
import { longTestOnLinux } from '../helpers/long.ts'
import { startRunAt } from '../helpers/server-process.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { login, startZinc } from '../helpers/zinc.ts'

const FILES = 256

// Linux counts a process's files in /proc.
longTestOnLinux('with 256 files and 400 connections zinc syncs, answers 503, and recovers', async () => {
  const zinc = await startZinc({ items: createSeed({ count: 30 }) })
  await zinc.services.runs.close()
  const child = spawn('sh', ['-c', `ulimit -n ${FILES}; exec "$0" src/server.ts`, process.execPath], {
    env: { ...childEnvironment, ...zinc.environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let url: string | undefined
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += String(chunk)
    url ??= /listens on (\S+)/.exec(said)?.[1]
  })
  await waitFor(() => url !== undefined)
  const token = await login(url!)
  const products = () => fetch(`${url}/api/products`, { headers: { authorization: `Bearer ${token}` } })
  const files = async () => (await readdir(`/proc/${child.pid}/fd`)).length
  const before = await files()
  const crowdOf = async (size: number) => {
    const crowd: Socket[] = []
    for (let n = 0; n < size; n++) crowd.push(connect(Number(new URL(url!).port), '127.0.0.1').on('error', () => {}))
    await waitFor(() => crowd.every((socket) => socket.readyState !== 'opening'))
    return { leave: () => crowd.forEach((socket) => void socket.destroy()) }
  }

  const few = await crowdOf(90)
  // Connected is not taken yet: the system keeps connections in line until the server asks for
  // them.
  await waitFor(async () => (await files()) >= before + 85)
  const refused = await products()
  expect([refused.status, refused.headers.get('retry-after'), await refused.json()]).toMatchObject([503, '5', { code: 'overloaded' }])
  expect((await fetch(`${url}/health/live`)).status).toBe(200)
  few.leave()
  await waitFor(async () => (await products()).status === 200)

  const id = await startRunAt(url!, token)
  const many = await crowdOf(400)
  const run = () => zinc.services.db.run.findUniqueOrThrow({ where: { id } })
  await waitFor(async () => {
    expect(await files()).toBeLessThan(FILES - 20)
    return (await run()).finished_at !== null
  })
  many.leave()
  expect(await run()).toMatchObject({ state: 'success' })
  expect(await zinc.services.db.failure.count()).toBe(0)
  await checkImages(zinc)
  await waitFor(async () => (await products().catch(() => null))?.status === 200)
  await waitFor(async () => (await files()) <= before + 10)
})
