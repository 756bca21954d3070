import { execFile } from 'node:child_process'
import { chmod, chown, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { SERVICE_FORMATS, type ServiceDefinition, type ServiceFormat, systemdUnit } from '../edge-client/service-definition.ts'
import { BadRequestError, StartupError } from '../lib/errors.ts'
import type { HostAndPort } from './edge-options.ts'

const run = promisify(execFile)

const UNIT_DIR = '/etc/systemd/system'
const TOKEN_DIR = '/etc/zinc-edge'
/** How often an installed service checks for changes. */
const WATCH_SECONDS = '60'

export interface InstallCall {
  server: string
  store: string
  dir: string
  variant?: string | undefined
  limit?: string | undefined
  user?: string | undefined
  watch?: number | undefined
  share?: boolean | undefined
  listen?: HostAndPort | undefined
  peers?: string[] | undefined
}

const tokenPath = (store: string): string => join(TOKEN_DIR, `${store}.token`)

/** `self`: the command of this program, up to and without `pull`. */
export function edgeService(
  { server, store, dir, variant, limit, user, watch, share, listen, peers }: InstallCall,
  self: string[],
): ServiceDefinition {
  // Both become file names.
  if (!/^[0-9a-f-]{36}$/i.test(store)) throw new BadRequestError('invalid_store_id')
  if (user !== undefined && !/^[a-z_][a-z0-9_-]{0,31}\$?$/i.test(user)) throw new BadRequestError('invalid_user.account')
  return {
    name: `zinc-edge-${store}`,
    description: `zinc edge: the images of store ${store}`,
    command: [
      ...self,
      'pull',
      ...['--server', server],
      ...['--store', store],
      ...['--dir', resolve(dir)],
      ...['--token-file', tokenPath(store)],
      ...['--watch', watch === undefined ? WATCH_SECONDS : String(watch)],
      ...(variant === undefined ? [] : ['--variant', variant]),
      ...(limit === undefined ? [] : ['--limit', limit]),
      ...(share ? ['--share'] : []),
      ...(listen === undefined ? [] : ['--listen', `${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${listen.port}`]),
      ...(peers === undefined ? [] : ['--peers', peers.join(',')]),
    ],
    user: user ?? null,
    dir: resolve(dir),
  }
}

export const printService = (service: ServiceDefinition, format: ServiceFormat): string => SERVICE_FORMATS[format](service)

/**
 * Writes token and unit, then enables and starts the service. Throws StartupError
 * `service_not_installed` where this account or this system does not allow it.
 */
export async function installService(service: ServiceDefinition, { store, token }: { store: string; token: string }): Promise<string> {
  const unit = `${service.name}.service`
  try {
    const owner = service.user === null ? null : await ownerIds(service.user)
    await mkdir(TOKEN_DIR, { recursive: true, mode: 0o755 })
    await replaceFile(tokenPath(store), `${token}\n`, { mode: 0o600, owner })
    await mkdir(service.dir, { recursive: true })
    if (owner) await chown(service.dir, owner.uid, owner.gid)
    await replaceFile(join(UNIT_DIR, unit), systemdUnit(service), { mode: 0o644, owner: null })
    await run('systemctl', ['daemon-reload'])
    await run('systemctl', ['enable', '--now', unit])
    return unit
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new StartupError('service_not_installed', { problem: why }, { exitStatus: 1, cause })
  }
}

/** Restarts the installed services that run `file`. Returns their units; none on other systems. */
export async function restartServices(file: string): Promise<string[]> {
  const names = await readdir(UNIT_DIR).catch(() => [])
  const units: string[] = []
  for (const name of names.filter((one) => /^zinc-edge-[0-9a-f-]{36}\.service$/i.test(one)))
    if ((await readFile(join(UNIT_DIR, name), 'utf8')).includes(file)) units.push(name)
  if (units.length > 0)
    await run('systemctl', ['try-restart', ...units]).catch((cause: Error) => {
      throw new StartupError('service_not_restarted', { units: units.join(' '), problem: cause.message }, { exitStatus: 1, cause })
    })
  return units
}

async function ownerIds(user: string): Promise<{ uid: number; gid: number }> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => Number((await run('id', [flag, user])).stdout)))
  return { uid: uid!, gid: gid! }
}

/** Never readable by others, not even for a moment, and never written through an existing link. */
async function replaceFile(
  path: string,
  text: string,
  { mode, owner }: { mode: number; owner: { uid: number; gid: number } | null },
): Promise<void> {
  const fresh = `${path}.new`
  await rm(fresh, { force: true })
  await writeFile(fresh, text, { mode, flag: 'wx' })
  await chmod(fresh, mode)
  if (owner) await chown(fresh, owner.uid, owner.gid)
  await rename(fresh, path)
}
