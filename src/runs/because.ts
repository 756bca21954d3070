import type { Prisma, Run } from '../generated/client.ts'
import { zohoCodeOf } from '../lib/errors.ts'
import type { Params } from '../messages/message.ts'
import { type Arguments, type MessageKey, type Said, say } from '../messages/say.ts'
import type { RunFailure } from './run-handler.ts'

/**
 * Why a run is in its state, as its row stores it: English for the API and commands, code and
 * params for other languages.
 */
export interface Because {
  cause: string
  remedy: string | undefined
  failure_code: string
  zoho_code: string | undefined
  failure_params: Params
}

/** Of an error, or of a message that was made already. */
export const becauseOf = (said: Said): Because => ({
  cause: said.message,
  remedy: said.remedy,
  failure_code: said.code,
  zoho_code: zohoCodeOf(said),
  failure_params: said.params,
})

export const because = <K extends MessageKey>(key: K, ...params: Arguments<K>): Because => becauseOf(say(key, ...params))

/** Returns the part of an error that a run's failure stores. */
export const failureOf = (said: Said): Pick<RunFailure, 'code' | 'zoho_code' | 'message' | 'params'> => ({
  code: said.code,
  zoho_code: zohoCodeOf(said),
  message: said.message,
  params: said.params,
})

/** Returns a failure made from its message. */
export const failure = <K extends MessageKey>(key: K, ...params: Arguments<K>) => failureOf(say(key, ...params))

/** Returns a run's cause as an error message; `otherwise` where it has none. */
export function saidByRun(run: Run, otherwise: 'sync_failed' | 'not_verified.unfinished', more: Params = {}): Said {
  const { code, message, params } = say(otherwise)
  return {
    code: run.failure_code ?? code,
    message: run.cause ?? message,
    remedy: run.remedy ?? undefined,
    params: {
      ...((run.failure_params as Prisma.JsonObject | null) ?? params),
      ...(run.zoho_code !== null && { zoho_code: run.zoho_code }),
      ...more,
    },
  }
}
