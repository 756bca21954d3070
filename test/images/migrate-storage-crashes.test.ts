import { type ChildProcess, spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { startServer } from '../../src/start-server.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { childEnvironment } from '../helpers/child-environment.ts'
import { hashOf } from '../helpers/hash.ts'
import { longTest, times } from '../helpers/long.ts'
import { startFaultyS3 } from '../helpers/s3-faults.ts'
import { login, startZinc } from '../helpers/zinc.ts'

const KEYS = { JWT_SECRET: Buffer.alloc(32, 1).toString('base64'), CREDENTIALS_KEY: Buffer.alloc(32, 2).toString('base64') }

longTest('a move to a bucket that is killed repeatedly keeps every picture readable and completes', async () => {
  const bucket = await startFaultyS3()
  onTestFinished(bucket.close)
  // Each kill leaves some more moved, those under way included: the files must last for all of
  // them.
  const zinc = await startZinc({ environment: KEYS, items: createSeed({ count: times(30, 250) }) })
  await zinc.sync('?sync_images=true')
  const { data: shown } = (await (await zinc.call('/api/products?has_image=true&limit=500')).json()) as {
    data: { image_url: string; images: { sha256: string }[] }[]
  }
  const environment = { ...zinc.environment, ...bucket.environment }
  const serving = await startServer(parseConfig(environment), pino({ level: 'silent' }))
  onTestFinished(() => serving[Symbol.asyncDispose]())
  const authorization = `Bearer ${await login(serving.url)}`

  let reads = 0
  const wrong: unknown[] = []
  async function readAll(): Promise<void> {
    for (const { image_url, images } of shown) {
      for (const variant of ['original', 'thumb']) {
        const reply = await fetch(`${serving.url}${new URL(image_url).pathname}?variant=${variant}`, { headers: { authorization } })
        const bytes = Buffer.from(await reply.arrayBuffer())
        reads++
        if (reply.status !== 200 || (variant === 'original' && hashOf(bytes) !== images[0]?.sha256))
          wrong.push([image_url, variant, reply.status])
      }
    }
  }
  let moving = true
  const reading = (async () => {
    while (moving) await readAll()
  })()

  const command = (): ChildProcess =>
    spawn(process.execPath, ['src/cli/main.ts', 'images', 'migrate-storage', '--remove-old'], {
      env: { ...childEnvironment, ...environment },
      stdio: 'ignore',
    })
  const left = async () =>
    (await readdir(join(zinc.dataDir, 'images'), { recursive: true })).filter((name) => /(originals|variants).*[0-9a-f]{64}$/.test(name))
      .length
  const ended = (child: ChildProcess) => new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))

  const before = await left()
  const kills = times(3, 20)
  let killed = 0
  for (let n = 0; n < kills; n++) {
    const child = command()
    const already = bucket.puts.length
    // The files last for all kills; the last ones come when some of the old copies are removed
    // already.
    bucket.afterPut((count) => count - already > (n % 3) + Math.floor(before / kills / 4) && child.kill('SIGKILL'))
    if ((await ended(child)) === null) killed++
    expect(wrong).toEqual([])
  }
  expect(killed).toBe(kills)
  const midway = await left()
  expect(midway).toBeGreaterThan(0)
  // With three kills it depends on the machine whether the last one meets the removal of old
  // copies.
  if (kills > 3) expect(midway).toBeLessThan(before)
  bucket.afterPut(() => {})
  expect(await ended(command())).toBe(0)
  moving = false
  await reading
  await readAll()
  expect(wrong).toEqual([])
  expect(reads).toBeGreaterThan(shown.length * 4)
  expect(await left()).toBe(0)
})
