import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Load {
  requests_per_second: number
  p50_ms: number
  p99_ms: number
  /** Responses that were not 2xx or 3xx, and connections that failed. */
  errors: number
}

export interface LoadOptions {
  /** Asked for in turn by each connection. */
  requests: { path: string; headers?: Record<string, string> }[]
  seconds: number
  connections: number
}

/** The path of a program; null where it is not installed. */
export const installed = (program: string): Promise<string | null> =>
  run('sh', ['-c', `command -v ${program}`]).then(
    ({ stdout }) => stdout.trim(),
    () => null,
  )

/**
 * Loads a server with wrk, which takes far less of the machine than a load generator in JavaScript:
 * beside nginx, that one would measure itself.
 */
export async function load(url: string, { requests, seconds, connections }: LoadOptions): Promise<Load> {
  const dir = await mkdtemp(join(tmpdir(), 'zinc-wrk-'))
  try {
    const lines = requests.map(({ path, headers = {} }) => {
      const fields = Object.entries(headers).map(([name, value]) => `[${JSON.stringify(name)}] = ${JSON.stringify(value)}`)
      return `wrk.format("GET", ${JSON.stringify(path)}, { ${fields.join(', ')} })`
    })
    await writeFile(
      join(dir, 'load.lua'),
      `local requests = {}
init = function() requests = { ${lines.join(',\n')} } end
local at = 0
request = function() at = at % #requests + 1 return requests[at] end
done = function(summary, latency)
  local errors = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format("RESULT %f %f %f %d\\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, errors))
end
`,
    )
    const { stdout } = await run('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', '-s', join(dir, 'load.lua'), url])
    const [rate, p50, p99, errors] = (/RESULT (.*)/.exec(stdout)?.[1] ?? '').split(' ').map(Number)
    if (rate === undefined || p50 === undefined || p99 === undefined || errors === undefined) throw new Error(`wrk printed ${stdout}`)
    return { requests_per_second: Math.round(rate), p50_ms: Number(p50.toFixed(2)), p99_ms: Number(p99.toFixed(2)), errors }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
