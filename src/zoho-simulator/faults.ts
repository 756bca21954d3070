import type { FastifyReply, FastifyRequest } from 'fastify'

/** What a test or the demo makes the next matching calls do wrong. */
export interface Fault {
  /** Matched against the path with its query; the first matching fault is used up. */
  path: RegExp
  times: number
  /** Number of matching calls that succeed first. */
  after?: number
  status?: number
  /** Sent instead of the response. */
  body?: string | Buffer
  contentType?: string
  headers?: Record<string, string>
  /**
   * What happens to the connection. Before the response: `reset`, or `silent` for ever. Within it:
   * `body`. After the headers and `body`: `stall` for ever, `drip` one byte a second, `endless`
   * bytes without an end.
   */
  cut?: 'reset' | 'body' | 'silent' | 'stall' | 'drip' | 'endless'
  /** The interval of a drip, by default a second. */
  everyMs?: number
}

const PIECE = ' '.repeat(64 * 1024)

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
    raw.write(fault.body ?? '{')
    if (fault.cut === 'stall') return
    if (fault.cut === 'endless') {
      // As fast as it is read, so that only the reader decides how much it reads.
      const more = () => {
        while (!raw.destroyed && raw.write(PIECE));
      }
      raw.on('drain', more)
      more()
      return
    }
    const timer = setInterval(() => raw.write(' '), fault.everyMs ?? 1_000)
    timers.add(timer)
    raw.once('close', () => {
      clearInterval(timer)
      timers.delete(timer)
    })
  }

  return {
    list,
    fail: (fault: Fault) => void list.push(fault),
    clear: () => void list.splice(0),
    /** True when a scripted fault has responded. */
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
