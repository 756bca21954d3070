import { execFile, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { longTest, shortened } from './helpers/long.ts'

const run = promisify(execFile)
const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'))

interface LockedPackage {
  hasInstallScript?: boolean
}

/** npm 12 runs no install script that allowScripts does not name, and says nothing about it. */
test('every package with an install script is in allowScripts', () => {
  const packages = Object.entries<LockedPackage>(readJson('package-lock.json').packages)
  const names = packages.filter(([, it]) => it.hasInstallScript).map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 13))
  const root = Object.keys(readJson('package.json').allowScripts)
  expect(root.sort()).toEqual([...new Set(names.filter((name) => name !== ''))].sort())
})

test('zinc names its own Node and its own PostgreSQL for each of its four platforms', () => {
  const { packages } = readJson('package-lock.json')
  const { optionalDependencies } = readJson('package.json')
  const platforms = Object.keys(optionalDependencies).map((name) => {
    const { os, cpu } = packages[`node_modules/${name}`]
    return `${name.startsWith('node-') ? 'node' : 'postgres'} ${[os].flat()[0]} ${[cpu].flat()[0]}`
  })
  const all = ['darwin arm64', 'darwin x64', 'linux arm64', 'linux x64']
  expect(platforms.sort()).toEqual([...all.map((it) => `node ${it}`), ...all.map((it) => `postgres ${it}`)])
})

/** A folder as npm leaves it when it skipped what `parts` does not name. */
async function installedFolder(parts: ('packages' | 'build')[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'zinc-install-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  cpSync('bin', join(folder, 'bin'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  if (parts.includes('packages')) mkdirSync(join(folder, 'node_modules', 'fastify'), { recursive: true })
  if (parts.includes('build')) {
    mkdirSync(join(folder, 'dist'))
    writeFileSync(join(folder, 'dist', 'server.js'), '')
  }
  return folder
}

const OLD_NODE = 'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.20.2"}})'

test.each(
  shortened(1, [
    { parts: ['packages', 'build'], nodeOptions: ['--import', OLD_NODE], says: 'Run `npm ci --include=optional` in its folder' },
    { parts: [], nodeOptions: [], says: 'Run `npm ci` in its folder.' },
    { parts: ['packages'], nodeOptions: [], says: 'Run `npm run build` in its folder.' },
  ]),
)('a start without $parts done says: $says', async ({ parts, nodeOptions, says }) => {
  const folder = await installedFolder([...parts])
  for (const program of ['server.js', 'demo.js', 'zinc.js']) {
    const { status, stderr } = spawnSync(process.execPath, [...nodeOptions, join(folder, 'bin', program)], { encoding: 'utf8' })
    expect({ status, message: stderr.includes(says), stack: /^\s+at /m.test(stderr) }).toEqual({ status: 1, message: true, stack: false })
  }
})

longTest('the package gives scripts createRunner with its types, from the build', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'zinc-package-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'node_modules'))
  await run('ln', ['-s', process.cwd(), join(folder, 'node_modules', 'zinc')])
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(
    join(folder, 'script.ts'),
    `import { type AppError, createRunner, type Runner } from 'zinc'
const runner: Runner = createRunner({ logLevel: 'ERROR' })
const text: string = (await runner.fetchData('bills')).status
const code = (error: AppError): string => error.code
// @ts-expect-error there is no such module
await runner.fetchData('nothing')
export { code, text }
`,
  )
  const compile = await run('node_modules/.bin/tsc', [
    ...['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2024'],
    ...['--typeRoots', join(process.cwd(), 'node_modules/@types'), join(folder, 'script.ts')],
  ]).catch((error: { stdout: string }) => error)
  expect(compile.stdout).toBe('')
  const loaded = await run(process.execPath, ['-e', "import('zinc').then((it) => console.log(Object.keys(it).sort().join()))"], {
    cwd: folder,
  })
  expect(loaded.stdout.trim()).toBe('AppError,createRunner')
})

longTest('a build keeps the chunks that pages of the build before it may still load, and only those', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'zinc-build-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const path of ['bin', 'scripts', 'src', 'prisma', 'package.json', 'prisma.config.ts', 'tsconfig.json', 'tsconfig.build.json'])
    cpSync(path, join(folder, path), { recursive: true })
  await run('ln', ['-s', join(process.cwd(), 'node_modules'), join(folder, 'node_modules')])
  mkdirSync(join(folder, 'dist/web/assets'), { recursive: true })
  for (const name of ['older.js', 'previous.js']) writeFileSync(join(folder, 'dist/web/assets', name), name)
  writeFileSync(join(folder, 'dist/web/assets.json'), '["previous.js"]')
  await run(process.execPath, ['scripts/build.js'], { cwd: folder })
  expect(readFileSync(join(folder, 'dist/web/assets/previous.js'), 'utf8')).toBe('previous.js')
  expect(() => readFileSync(join(folder, 'dist/web/assets/older.js'))).toThrow('ENOENT')
  expect(readJson(join(folder, 'dist/web/assets.json')).length).toBeGreaterThan(5)
})
