import { rename, rm, writeFile } from 'node:fs/promises'
import type { Logger } from 'pino'
import { z } from 'zod'
import type { Db } from '../database/client.ts'
import { DATA_CENTERS } from '../facts/data-centers.ts'
import { BadRequestError, ConflictError } from '../lib/errors.ts'
import { readNamedFile } from '../lib/open-regular-file.ts'
import { type Actor, SYSTEM_ACTOR } from './audit-log.ts'
import { isMasked } from './mask.ts'
import { enabledModules, MODULES, type ModuleSlug, setModuleEnabled } from './modules.ts'
import type { Field, SettingsChange, ZohoSettings } from './zoho-settings.ts'

const text = z
  .union([z.string(), z.number().refine(Number.isSafeInteger).transform(String)])
  .transform((value) => value.trim())
  .nullish()
/** The predecessors' file, with these names; other keys are left and reported. */
const ZohoConfigFile = z.looseObject({
  client_id: text,
  client_secret: text,
  refresh_token: text,
  organization_id: text,
  data_center: z.enum(DATA_CENTERS).nullish(),
  enabled: z.boolean().nullish(),
  /** The predecessors' names, such as `Zoho Books`, or zinc's. */
  modules: z.array(z.looseObject({ name: z.string(), enabled: z.boolean().nullish() })).nullish(),
})
type ZohoConfigFile = z.infer<typeof ZohoConfigFile>

const IMPORTED = ['client_id', 'client_secret', 'refresh_token', 'organization_id', 'data_center'] as const satisfies readonly Field[]
/** Keys that must not stay in a file once they are stored encrypted. */
const SECRET_KEY = /secret|token|password|code$/i
const MAX_BYTES = 64 * 1024

export interface Imported {
  /** What was stored, or would be. */
  changed: string[]
  /** What the file has, but the environment (or Google) sets. */
  fixed: string[]
  /** What the file has as a mask only, such as ••••1a2b. */
  masked: string[]
  /** Keys and modules of the file that zinc has no setting for. */
  left: string[]
}

const TAKEN: readonly string[] = ['client_id', 'client_secret', 'refresh_token', 'organization_id', 'data_center', 'enabled', 'modules']
/** Written by zinc itself when it takes the secrets out of the file. */
const NOTE = 'note'

/**
 * Reads a `zoho_config.json`. Throws BadRequestError `path_not_found`, `file_unusable`,
 * `invalid_config_file`; the message never quotes the file.
 */
export async function readZohoConfig(file: string): Promise<ZohoConfigFile> {
  const content = await readNamedFile(file)
  let json: unknown
  try {
    if (content.length > MAX_BYTES) throw new Error('too long')
    json = JSON.parse(content.replace(/^\uFEFF/, ''))
  } catch {
    throw new BadRequestError('invalid_config_file.not_json', { file })
  }
  const parsed = ZohoConfigFile.safeParse(json)
  if (parsed.success) return parsed.data
  const keys = parsed.error.issues.map((issue) => issue.path.join('.')).filter((key) => key !== '')
  throw new BadRequestError('invalid_config_file', { file, keys })
}

/**
 * Stores the file's values; those that the environment sets are skipped and reported. `dryRun`:
 * stores nothing.
 */
export async function importZohoConfig(
  config: ZohoConfigFile,
  { settings, actor, dryRun = false }: { settings: ZohoSettings; actor: Actor; dryRun?: boolean },
): Promise<Imported> {
  const { values, sources } = await settings.effective()
  const change: SettingsChange = {}
  const fixed: string[] = []
  const masked: string[] = []
  for (const field of IMPORTED) {
    const value = config[field]
    if (!value || value === values[field]) continue
    if (isMasked(value)) masked.push(field)
    else if (sources[field] === 'environment' || sources[field] === 'gcp') fixed.push(field)
    else change[field] = value
  }
  if (config.enabled !== null && config.enabled !== undefined) change.enabled = config.enabled
  const { wanted, left } = readModules(config)
  const also = async (tx: Db) => {
    const now = await enabledModules(tx)
    const switched = [...wanted].filter(([slug, enabled]) => now.get(slug) !== enabled)
    for (const [slug, enabled] of switched) await setModuleEnabled(tx, slug, enabled)
    return switched.map(([slug]) => `modules.${slug}.enabled`)
  }
  const changed = await settings.change(change, actor, { also, dryRun })
  return { changed, fixed, masked, left }
}

/** What a file says of modules that zinc has, and everything else that it says. */
function readModules(config: ZohoConfigFile): { wanted: Map<ModuleSlug, boolean>; left: string[] } {
  const wanted = new Map<ModuleSlug, boolean>()
  const left = Object.keys(config).filter((key) => !TAKEN.includes(key) && key !== NOTE)
  for (const { name, enabled, ...more } of config.modules ?? []) {
    const module = MODULES.find((it) => [it.slug, it.name.toLowerCase()].includes(name.trim().toLowerCase()))
    if (!module) left.push(`modules.${name}`)
    else if (typeof enabled === 'boolean') wanted.set(module.slug, enabled)
    if (module) left.push(...Object.keys(more).map((key) => `modules.${name}.${key}`))
  }
  return { wanted, left }
}

/**
 * Imports a `zoho_config.json` in the settings folder at start: stores it encrypted, then removes
 * the secrets from the file. One without secrets was imported before and is ignored. After a crash
 * in between, the next start repeats it. An unusable file is logged and left as it is.
 */
export async function importZohoConfigOnce(file: string, { settings, log }: { settings: ZohoSettings; log: Logger }): Promise<void> {
  try {
    const config = await readZohoConfig(file)
    if (!Object.entries(config).some(([key, value]) => SECRET_KEY.test(key) && typeof value === 'string' && value !== '')) return
    const { changed, fixed, left } = await importZohoConfig(config, { settings, actor: SYSTEM_ACTOR })
    const rest = Object.fromEntries(Object.entries(config).filter(([key]) => !SECRET_KEY.test(key)))
    const fresh = `${file}.${process.pid}.new`
    try {
      await writeFile(fresh, `${JSON.stringify({ ...rest, note: 'zinc keeps the secrets encrypted in its database now.' }, null, 2)}\n`, {
        mode: 0o600,
      })
      await rename(fresh, file)
    } finally {
      await rm(fresh, { force: true })
    }
    log.warn(
      { file, stored: changed, fixed_by_environment: fixed, left },
      'zoho_config.json was imported; its secrets are stored encrypted and are gone from the file',
    )
  } catch (error) {
    if (error instanceof BadRequestError && error.code === 'path_not_found') return
    if (!(error instanceof BadRequestError || error instanceof ConflictError)) throw error
    log.error({ file, code: error.code }, `zoho_config.json was not imported: ${error.message}`)
  }
}
