import type { Command } from 'commander'
import { maskSettings, settingsLines } from '../connection/settings-view.ts'
import { AppError } from '../lib/errors.ts'
import { createShopTime } from '../lib/shop-time.ts'
import { findStatus } from '../pulls/status.ts'
import type { Services } from '../services.ts'
import type { Action, ExitStatus } from './context.ts'
import { sessionLine } from './sessions.ts'

const SIGN_IN_MS = 20_000
const SESSIONS_SHOWN = 5

export function addStatus(program: Command, action: Action): void {
  program
    .command('status')
    .description('show settings (masked), sign-in, last sync of each module, images, quota and sessions')
    .action(
      action(async (context): Promise<ExitStatus> => {
        const status = await readStatus(await context.services({ mustExist: true }), context.signal)
        context.result({ status: 'success', data: status }, describe(status))
        return status.sign_in.state === 'refused' ? 1 : 0
      }),
    )
}

export type Status = Awaited<ReturnType<typeof readStatus>>

/**
 * Returns everything that `zinc status` shows; one call to Zoho, which it does not count, tells
 * whether the sign-in works.
 */
export async function readStatus({ connect, db, modules, pulls }: Services, signal: AbortSignal) {
  const settings = await maskSettings(connect)
  return {
    settings,
    sign_in:
      settings.connection.state === 'not_set_up'
        ? { state: 'not_set_up' as const, message: null, remedy: null }
        : await signIn(connect, signal),
    modules: (await modules.list()).map(({ slug, enabled, last_sync, next_run }) => ({ slug, enabled, last_sync, next_run })),
    ...(await findStatus(db, settings.organization_id)),
    sessions: await pulls.sessions.list(),
  }
}

async function signIn(connect: Services['connect'], signal: AbortSignal) {
  try {
    const organization = await connect.readOrganization(await connect.open(), AbortSignal.any([signal, AbortSignal.timeout(SIGN_IN_MS)]))
    return organization
      ? { state: 'signed_in' as const, message: organization.name, remedy: null }
      : { state: 'refused' as const, message: 'The account does not have this organization', remedy: 'Check the organization ID.' }
  } catch (error) {
    signal.throwIfAborted()
    const remedy = error instanceof AppError && typeof error.detail?.remedy === 'string' ? error.detail.remedy : null
    return { state: 'refused' as const, message: error instanceof Error ? error.message : String(error), remedy }
  }
}

function describe(status: Status): string {
  const { sign_in, pulled, pictures: images, quota, sessions } = status
  const shopTime = createShopTime(status.settings.organization?.time_zone)
  const when = (iso: string | null) => (iso === null ? 'not yet' : shopTime(iso)).padEnd(24)
  const times = pulled.map((it) => `  ${`${it.app} ${it.module}`.padEnd(26)} ${when(it.succeeded_at)}  ${it.records} records`)
  return [
    ...settingsLines(status.settings),
    `sign-in          ${sign_in.state}${sign_in.message === null ? '' : `: ${sign_in.message}`}`,
    ...(sign_in.remedy === null ? [] : [`  ${sign_in.remedy}`]),
    '',
    'last sync',
    ...status.modules.map((it) => `  ${it.slug.padEnd(26)} ${when(it.last_sync)}${it.enabled ? '' : '  (module is off)'}`.trimEnd()),
    ...times,
    '',
    `images           ${images.stored} of ${images.wanted}`,
    `quota            ${quota ? `${quota.left} of ${quota.limit} calls left${quota.resets_at === null ? '' : ` until ${shopTime(quota.resets_at)}`}` : 'unknown until the first API call'}`,
    '',
    `sessions         ${sessions.length}`,
    ...sessions.slice(0, SESSIONS_SHOWN).map((it) => `  ${sessionLine(it)}`),
  ].join('\n')
}
