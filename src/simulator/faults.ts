import type { FastifyReply, FastifyRequest } from 'fastify'

/** What a test or the demo asks the next matching calls to do wrong. */
export interface Fault {
  /** Matched against the path with its query; the first fault that matches is used up. */
  path: RegExp
  times: number
  /** So many matching calls are answered rightly first. */
  after?: number
  status?: number
  /** Sent instead of the answer. */
  body?: string | Buffer
  contentType?: string
  headers?: Record<string, string>
  /**
   * What happens to the connection: `reset` before the answer, `body` in the middle of it, `silent` for ever before the answer, `stall` for ever
   * after the headers, `drip` one byte a second, `endless` bytes without an end.
   */
  cut?: 'reset' | 'body' | 'silent' | 'stall' | 'drip' | 'endless'
}

export type Faults = ReturnType<typeof createFaults>

/** Scripted faults, used up in their order. */
export function createFaults() {
  const list: Fault[] = []
  const timers = new Set<NodeJS.Timeout>()

  function spoil(reply: FastifyReply, fault: Fault): void {
    reply.hijack()
    const { raw } = reply
    if (fault.cut === 'reset') return void raw.destroy()
    if (fault.cut === 'silent') return
    const type = fault.contentType ?? 'application/json;charset=UTF-8'
    if (fault.cut === 'body') {
      raw.writeHead(200, { 'content-type': type, 'content-length': '5000' })
      raw.write(fault.body ?? '{"code":0,"items":[{"item_id":"46', () => raw.destroy())
      return
    }
    raw.writeHead(200, { 'content-type': type })
    raw.write('{')
    if (fault.cut === 'stall') return
    const repeat = (everyMs: number, bytes: string) => {
      const timer = setInterval(() => raw.write(bytes), everyMs)
      timers.add(timer)
      raw.once('close', () => {
        clearInterval(timer)
        timers.delete(timer)
      })
    }
    if (fault.cut === 'drip') repeat(1_000, ' ')
    else repeat(1, ' '.repeat(512 * 1024))
  }

  return {
    list,
    fail: (fault: Fault) => void list.push(fault),
    clear: () => void list.splice(0),
    /** True when a scripted fault has answered. */
    answered(request: FastifyRequest, reply: FastifyReply): boolean {
      const fault = list.find((it) => it.times > 0 && it.path.test(request.url))
      if (!fault) return false
      if (fault.after !== undefined && fault.after > 0) {
        fault.after--
        return false
      }
      fault.times--
      if (fault.cut) spoil(reply, fault)
      else {
        void reply
          .code(fault.status ?? 200)
          .type(fault.contentType ?? 'application/json;charset=UTF-8')
          .headers(fault.headers ?? {})
          .send(fault.body ?? '')
      }
      return true
    },
    close() {
      for (const timer of timers) clearInterval(timer)
    },
  }
}
