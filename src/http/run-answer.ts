import { PassThrough } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { UpstreamFailed } from '../errors.ts'
import type { Run } from '../generated/client.ts'
import type { Runs } from '../jobs/runs.ts'

/** Shorter than any proxy's patience. */
const KEEP_ALIVE_MS = 15_000
/** How long an answer waits for an early failure, so that it can still carry its status. */
const EARLY_MS = 1_500

interface Answered {
  statistics: Record<string, number>
}

/**
 * Answers a started run: 202 with its id at once, or what it has come to when it ends. A failure before the first page keeps its status; after that
 * the answer is 200 with a space now and then, so that no proxy cuts the wait. A client that hangs up does not stop the run.
 */
export async function answerRun<T extends Answered>(
  reply: FastifyReply,
  runs: Runs,
  { runId, wait, result }: { runId: string; wait: boolean; result(run: Run): Promise<T> },
): Promise<T | FastifyReply> {
  if (!wait)
    return reply
      .code(202)
      .header('location', `/api/settings/integrations/zoho/sync/runs/${runId}`)
      .send({ status: 'queued', run_id: runId })

  const early = await runs.wait(runId, AbortSignal.timeout(EARLY_MS)).catch(() => null)
  if (early) {
    const answer = await result(early)
    // Nothing was read yet, so the failure can still have the status that belongs to it.
    if (early.state === 'failed' && (answer.statistics.total ?? 0) === 0)
      throw new UpstreamFailed(early.failure_code ?? 'sync_failed', early.cause ?? 'The sync failed', {
        detail: { run_id: runId },
        remedy: early.remedy ?? undefined,
      })
    return answer
  }
  const gone = new AbortController()
  const body = new PassThrough()
  reply.raw.once('close', () => gone.abort())
  const alive = setInterval(() => body.write(' '), KEEP_ALIVE_MS)
  void runs
    .wait(runId, gone.signal)
    .then(async (run) => body.end(JSON.stringify(await result(run))))
    .catch(() => body.destroy())
    .finally(() => clearInterval(alive))
  return reply
    .type('application/json; charset=utf-8')
    .serializer((it: unknown) => it as string)
    .send(body)
}
