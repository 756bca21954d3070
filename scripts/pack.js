// `npm run pack`: what machines without zinc need, in pack/.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))

const OUT = 'pack'
const vite = join('node_modules', 'vite', 'bin', 'vite.js')
const args = [vite, 'build', '--config', 'scripts/edge-client.vite.config.js', '--outDir', OUT, '--emptyOutDir', '--logLevel', 'error']
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)
const client = packClient()
for (const name of ['zinc-edge.js', client]) {
  const file = join(OUT, name)
  const bytes = readFileSync(file)
  console.log(`${file}  ${bytes.length} bytes  sha256 ${createHash('sha256').update(bytes).digest('hex')}`)
}

/**
 * The API client alone, under the name that it has in zinc: `import … from 'zinc/client'` works
 * where only this tarball is installed. It has no dependencies. Returns the tarball's name.
 */
function packClient() {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  const built = join('dist', 'client', 'index.js')
  if (!existsSync(built)) {
    console.error('The client is not built yet. Run `npm run build` first.')
    process.exit(1)
  }
  const folder = mkdtempSync(join(tmpdir(), 'zinc-pack-'))
  try {
    for (const part of ['client', join('generated', 'api-client')]) cpSync(join('dist', part), join(folder, part), { recursive: true })
    const manifest = {
      name: 'zinc',
      version,
      description: 'The client of zinc’s API alone',
      license: 'UNLICENSED',
      type: 'module',
      engines: { node: '>=20' },
      exports: { './client': { types: './client/index.d.ts', default: './client/index.js' } },
    }
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
    const name = `zinc-client-${version}.tgz`
    // npm names a tarball by its package.
    const npm = spawnSync('npm', ['pack', '--silent', '--pack-destination', folder], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    if (npm.status !== 0) process.exit(npm.status ?? 1)
    cpSync(join(folder, `zinc-${version}.tgz`), join(OUT, name))
    return name
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
