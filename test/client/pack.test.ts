import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import { longTest } from '../helpers/long.ts'
import { login, startZinc } from '../helpers/zinc.ts'

const run = promisify(execFile)

longTest('the packed client is installed alone in an empty folder, without network, and has its types', async () => {
  await run(process.execPath, ['scripts/pack.js'])
  const [tarball] = globSync('pack/zinc-client-*.tgz')
  const folder = await mkdtemp(join(tmpdir(), 'zinc-pack-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'package.json'), '{"type":"module","private":true}')
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', resolve(tarball!)], { cwd: folder })
  await writeFile(
    join(folder, 'list.ts'),
    `import { createClient } from 'zinc/client'
const client = createClient({ baseUrl: process.argv[2]!, token: process.argv[3]! })
const { data } = await client.listProducts({ query: { limit: 500 } })
const names: string[] = data.map(({ name }) => name)
// @ts-expect-error: not a field
data[0]?.nome
const { product } = (await client.productChanges().next()).value!
const price: string | null = product!.selling_price
console.log(JSON.stringify([names.length, typeof price]))
`,
  )
  const zinc = await startZinc({ synced: true })
  const token = await login(zinc.url)
  expect(JSON.parse((await run(process.execPath, ['list.ts', zinc.url, token], { cwd: folder })).stdout)).toEqual([30, 'string'])
  const options = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2024',
    '--types',
    'node',
    '--typeRoots',
    resolve('node_modules/@types'),
  ]
  await run(process.execPath, [resolve('node_modules/typescript/bin/tsc'), ...options, 'list.ts'], { cwd: folder }).catch(
    (error: { stdout: string }) => {
      throw new Error(error.stdout)
    },
  )
})
