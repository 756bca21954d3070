import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { childEnvironment } from '../helpers/child-environment.ts'
import { edgeFolder, expectMirror } from '../helpers/edge-folder.ts'
import { longTest } from '../helpers/long.ts'
import { startShop } from '../helpers/test-shop.ts'

const run = promisify(execFile)

longTest('head office serves the edge client as one file with its hash, and it pulls where only Node is', async () => {
  const shop = await startShop()
  const store = await shop.addStore()
  const response = await fetch(`${shop.url}/downloads/zinc-edge.js`)
  expect(response.status).toBe(200)
  const program = Buffer.from(await response.arrayBuffer())
  // A package of the server would come with all that it needs.
  expect(program.length).toBeLessThan(600_000)
  expect(response.headers.get('x-checksum-sha256')).toBe(createHash('sha256').update(program).digest('hex'))

  const alone = await edgeFolder()
  await writeFile(join(alone, 'zinc-edge.js'), program)
  const dir = join(alone, 'pictures')
  const pull = ['zinc-edge.js', '--json', 'pull', '--server', shop.url, '--store', store.id, '--dir', dir]
  const env = { PATH: childEnvironment.PATH, ZINC_EDGE_TOKEN: store.token }
  const { stdout } = await run(process.execPath, pull, { cwd: alone, env })
  const { photos } = await store.list()
  expect(JSON.parse(stdout)).toMatchObject({ status: 'success', fetched: photos.length })
  await expectMirror(dir, photos)

  // An earlier version replaces itself; the same one stays.
  const upgrade = async (from: string) =>
    run(process.execPath, ['zinc-edge.js', '--json', 'upgrade', '--server', from], { cwd: alone, env })
  const old = Buffer.concat([program, Buffer.from('\n// an earlier version\n')])
  await writeFile(join(alone, 'zinc-edge.js'), old)
  await expect(upgrade(`${shop.url}/api`)).rejects.toMatchObject({ code: 1 })
  expect(await readFile(join(alone, 'zinc-edge.js'))).toEqual(old)
  expect(JSON.parse((await upgrade(shop.url)).stdout)).toMatchObject({ status: 'success', changed: true, restarted: [] })
  expect(await readFile(join(alone, 'zinc-edge.js'))).toEqual(program)
  expect(JSON.parse((await upgrade(shop.url)).stdout)).toMatchObject({ changed: false })
})
