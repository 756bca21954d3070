import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished } from 'vitest'
import { runCli } from '../../src/cli/run-cli.ts'
import { parseConfig } from '../../src/config.ts'
import { openServices } from '../../src/services.ts'
import { startServer } from '../../src/start-server.ts'
import { drawnImage, imageForm } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { startS3Server } from '../helpers/s3-server.ts'
import { login, startZinc, type TestZinc } from '../helpers/zinc.ts'

const KEYS = { JWT_SECRET: Buffer.alloc(32, 1).toString('base64'), CREDENTIALS_KEY: Buffer.alloc(32, 2).toString('base64') }
const silent = pino({ level: 'silent' })

async function bucket() {
  const it = await startS3Server()
  onTestFinished(it.close)
  return it
}
/** A second instance: the same database, a folder of its own. */
async function instance(environment: Record<string, string>) {
  const dataDir = await mkdtemp(join(tmpdir(), 'zinc-other-'))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  return parseConfig({ ...environment, DATA_DIR: dataDir })
}
const all = async (url: string, token: string) => {
  const reply = await fetch(`${url}/api/products?has_image=true&limit=500`, { headers: { authorization: `Bearer ${token}` } })
  return ((await reply.json()) as { data: { id: string; image_url: string; images: { sha256: string }[] }[] }).data
}
async function allOpen(url: string, token: string, shown: { image_url: string; images: { sha256: string }[] }[]) {
  for (const { image_url, images } of shown) {
    const reply = await fetch(`${url}${new URL(image_url).pathname}`, { headers: { authorization: `Bearer ${token}` } })
    const bytes = Buffer.from(await reply.arrayBuffer())
    expect([reply.status, createHash('sha256').update(bytes).digest('hex')]).toEqual([200, images[0]?.sha256])
  }
}

longTest('two instances share one bucket: what comes in at one is served by the other, with its variants', async () => {
  const { environment: s3, close: _, ...rest } = await bucket()
  const zinc = await startZinc({ environment: { ...KEYS, ...s3 } })
  expect((await zinc.sync('?sync_images=true')).status).toBe('success')
  const other = await startServer(await instance({ ...zinc.environment, ...s3 }), silent)
  try {
    const token = await login(other.url)
    const shown = await all(other.url, token)
    expect(shown.length).toBeGreaterThan(10)
    await allOpen(other.url, token, shown)
    const upload = await fetch(`${other.url}/api/products/${shown[0]!.id}/images/upload`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: imageForm([await drawnImage()], { is_primary: 'true' }),
    })
    expect(upload.status).toBe(201)
    const { data } = (await upload.json()) as { data: { image_url: string } }
    for (const variant of ['thumb', 'medium', 'original'])
      expect(
        (await zinc.call(`${new URL(data.image_url).pathname}?variant=${variant}`, { headers: { accept: 'image/jpeg' } })).status,
      ).toBe(200)
    // Nothing of it stays on the disks.
    expect(await readdir(join(zinc.dataDir, 'images'))).not.toContain('originals')
    expect(rest.directory).toBeTruthy()
  } finally {
    await other[Symbol.asyncDispose]()
  }
  const elsewhere = await bucket()
  await expect(openServices(await instance({ ...zinc.environment, ...elsewhere.environment }), silent)).rejects.toMatchObject({
    code: 'instance_mismatch',
    exitStatus: 2,
  })
})

longTest('pictures move from the disk to a bucket while zinc serves them, and back', async () => {
  const s3 = (await bucket()).environment
  const zinc: TestZinc = await startZinc({ environment: KEYS })
  await zinc.sync('?sync_images=true')
  const before = await all(zinc.url, await login(zinc.url))
  const moved = parseConfig({ ...zinc.environment, ...s3 })
  const serving = await startServer(moved, silent)
  const token = await login(serving.url)
  await allOpen(serving.url, token, before)
  const command = (environment: Record<string, string>, ...argv: string[]) =>
    runCli(['images', ...argv], { ...zinc.environment, ...environment })
  expect(await command(s3, 'migrate-storage', '--remove-old')).toBe(0)
  await allOpen(serving.url, token, before)
  await serving[Symbol.asyncDispose]()
  expect((await readdir(join(zinc.dataDir, 'images', 'originals'), { recursive: true })).filter((name) => name.length > 60)).toEqual([])
  const onlyBucket = await startServer(moved, silent)
  await allOpen(onlyBucket.url, token, before)
  await onlyBucket[Symbol.asyncDispose]()
  expect(await command(s3, 'verify')).toBe(0)

  expect(await command({ ...s3, STORAGE: 'file' }, 'migrate-storage')).toBe(0)
  expect(await command({}, 'verify')).toBe(0)
  expect(await command({}, 'thumbnails')).toBe(2)
  expect(await command({}, 'thumbnails', '--missing')).toBe(0)
})
