import { PassThrough } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { Run } from '../generated/client.ts'
import { BadGatewayError, BadRequestError, ConflictError } from '../lib/errors.ts'
import { saidByRun } from '../runs/because.ts'
import type { RunProgress } from '../runs/run-handler.ts'
import type { Runs } from '../runs/runs.ts'

/** Shorter than any proxy's timeout. */
const KEEP_ALIVE_MS = 15_000
/**
 * How long a response waits at most for an error before the first page, so that it can still have
 * its status.
 */
const EARLY_MS = 50_000

/** What an operator has switched off. */
const SWITCHED_OFF = new Set(['integration_disabled'])
const ASKED_WRONG = new Set([
  'invalid_import_file',
  'invalid_mappings',
  'invalid_file_name',
  'import_file_not_found',
  'import_file_too_large',
])

/**
 * Responds with a started run: 202 with its id immediately, or its result when it has ended or
 * paused. An error before the first page keeps its status; after that the response is 200 with a
 * space now and then, so that no proxy cuts the wait. A client that disconnects does not stop the
 * run.
 */
export async function sendRun<T extends object>(
  reply: FastifyReply,
  runs: Runs,
  { runId, wait, result }: { runId: string; wait: boolean; result(run: Run): Promise<T> },
): Promise<T | FastifyReply> {
  if (!wait)
    return reply
      .code(202)
      .header('location', `/api/settings/integrations/zoho/sync/runs/${runId}`)
      .send({ status: 'queued', run_id: runId })

  const disconnected = new AbortController()
  reply.raw.once('close', () => disconnected.abort())
  const early = await untilFirstPage(runs, runId, AbortSignal.any([disconnected.signal, AbortSignal.timeout(EARLY_MS)]))
  if (early && isStanding(early)) {
    if (early.state === 'failed' && !hasRead(early)) throw failureOf(early)
    return result(early)
  }
  const body = new PassThrough()
  const alive = setInterval(() => body.write(' '), KEEP_ALIVE_MS)
  void runs
    .wait(runId, disconnected.signal)
    .then(async (run) => body.end(JSON.stringify(await result(run))))
    .catch(() => body.destroy())
    .finally(() => clearInterval(alive))
  return reply
    .type('application/json; charset=utf-8')
    .serializer((it: unknown) => it as string)
    .send(body)
}

const isStanding = (run: Run): boolean => run.state !== 'queued' && run.state !== 'running'
const hasRead = (run: Run): boolean => run.checkpoint !== null || ((run.statistics as { total?: number }).total ?? 0) > 0

/** Returns the run when it has read something, ended or paused; null when none happened in time. */
async function untilFirstPage(runs: Runs, runId: string, signal: AbortSignal): Promise<Run | null> {
  for await (const run of runs.events(runId, signal)) {
    if (isStanding(run)) return run
    if ((run.progress as RunProgress).phase !== undefined || hasRead(run)) return null
  }
  return null
}

function failureOf(run: Run): Error {
  const code = run.failure_code ?? 'sync_failed'
  const said = saidByRun(run, 'sync_failed', { run_id: run.id })
  if (ASKED_WRONG.has(code)) return new BadRequestError(said)
  if (SWITCHED_OFF.has(code)) return new ConflictError(said)
  // A bug of zinc's is not an error of Zoho's.
  if (code === 'internal') return new Error(`run ${run.id} failed`)
  return new BadGatewayError(said)
}
