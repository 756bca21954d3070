import { execFile } from 'node:child_process'
import { chown, cp, mkdir, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const BASE = 'docker.io/library/node:24-bookworm-slim'
const IMAGE = 'localhost/zinc'
/** The account `node` of the image. */
const USER = 1000

export interface BuiltImage {
  /** All layers, uncompressed. */
  bytes: number
  /**
   * Runs the image's own command, as its own user, in a fresh container on the host's network.
   * Secrets become files: arguments can be read by every account.
   */
  command(options: { environment: Record<string, string>; secrets: Record<string, string> }): Promise<[string, ...string[]]>
  remove(): Promise<void>
}

/**
 * Builds the Dockerfile with buildah and without a registry: in place of its base comes a minimal
 * Debian made by debootstrap, with this folder's Node and this machine's npm. Needs root.
 */
export async function buildImage(dir: string): Promise<BuiltImage> {
  const storage = ['--root', join(dir, 'storage'), '--runroot', join(dir, 'storage-run'), '--storage-driver', 'vfs']
  const buildah = async (...args: string[]) => (await run('buildah', [...storage, ...args], { maxBuffer: 1 << 28 })).stdout.trim()

  const root = join(dir, 'base')
  await run('debootstrap', ['--variant=minbase', '--include=ca-certificates', 'bookworm', root], { maxBuffer: 1 << 28 })
  await cp(process.execPath, join(root, 'usr/local/bin/node'))
  const { stdout: npm } = await run('sh', ['-c', 'command -v npm'])
  await cp(dirname(dirname(await realpath(npm.trim()))), join(root, 'usr/local/lib/node_modules/npm'), { recursive: true })
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'))
  await run('chroot', [root, 'useradd', '--create-home', '--uid', String(USER), 'node'])
  // As in Debian's slim images.
  for (const path of ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'usr/share/info', 'var/cache/apt', 'var/lib/apt/lists'])
    await rm(join(root, path), { recursive: true, force: true })
  // The machine may trust further authorities, for its own mirror of npm's registry.
  await cp('/etc/ssl/certs/ca-certificates.crt', join(root, 'etc/ssl/certs/ca-certificates.crt'))
  const base = await buildah('from', 'scratch')
  await buildah('copy', '--quiet', base, root, '/')
  await buildah('config', '--env', 'PATH=/usr/local/bin:/usr/bin:/bin', base)
  await buildah('commit', '--quiet', '--rm', base, BASE)

  // As the machine's npm is set up; it does not become part of the image.
  const npmrc = join(dir, 'npmrc')
  const { stdout: settings } = await run('sh', ['-c', 'cat ~/.npmrc 2>/dev/null || true'])
  await writeFile(npmrc, `${settings}\ncafile=/etc/ssl/certs/ca-certificates.crt\n`, { mode: 0o600 })
  const options = [
    '--isolation',
    'chroot',
    '--network',
    'host',
    '--pull-never',
    '--volume',
    `${npmrc}:/root/.npmrc:ro`,
    '--format',
    'docker',
  ]
  await buildah('build', ...options, '--tag', IMAGE, '.')
  const [{ size }] = JSON.parse(await buildah('images', '--json', IMAGE)) as [{ size: string }]
  const { Docker } = JSON.parse(await buildah('inspect', '--type', 'image', IMAGE)) as { Docker: { config: { Cmd: string[] } } }
  return {
    bytes: bytesOf(size),
    async command({ environment, secrets }) {
      const container = await buildah('from', '--pull-never', IMAGE)
      const folder = join(dir, 'secrets')
      await mkdir(folder, { recursive: true })
      for (const [name, value] of Object.entries(secrets)) {
        await writeFile(join(folder, name), value, { mode: 0o400 })
        await chown(join(folder, name), USER, USER)
      }
      const files = Object.keys(secrets).map((name) => [`${name}_FILE`, `/run/secrets/${name}`])
      const settings = [...Object.entries(environment), ...files].flatMap(([name, value]) => ['--env', `${name}=${value}`])
      const options = ['--isolation', 'chroot', '--network', 'host', '--volume', `${folder}:/run/secrets:ro`, ...settings]
      return ['buildah', ...storage, 'run', ...options, container, '--', ...Docker.config.Cmd]
    },
    remove: async () => void (await buildah('rm', '--all')),
  }
}

/** Buildah says `312 MB`. */
function bytesOf(size: string): number {
  const [amount = '0', unit = 'B'] = size.split(' ')
  return Number(amount) * ({ B: 1, KB: 1e3, MB: 1e6, GB: 1e9 }[unit] ?? Number.NaN)
}
