import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { expect, onTestFinished } from 'vitest'
import { childEnvironment } from '../helpers/child-environment.ts'
import { longTestOnLinux, times } from '../helpers/long.ts'
import { login, startZinc } from '../helpers/zinc.ts'

const MIB = 1024 * 1024

/**
 * A server in a process of its own, so that what is measured is its memory and not the senders'.
 */
async function startServer(environment: Record<string, string>) {
  const child = spawn(process.execPath, ['src/server.ts'], {
    env: { ...childEnvironment, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        child.once('exit', () => resolve())
        child.kill('SIGTERM')
      }),
  )
  let said = ''
  for await (const chunk of child.stdout!) {
    said += String(chunk)
    const url = /listens on (\S+)/.exec(said)?.[1]
    if (url) return { url, pid: child.pid! }
  }
  throw new Error(`the server ended before it listened: ${said}`)
}
const rssOf = async (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

/**
 * Sends a body piece by piece and answers the status, also when the server answers and hangs up in
 * the middle.
 */
function send(url: string, headers: Record<string, string | number>, body: () => Generator<Buffer>): Promise<number> {
  // A connection of its own that stays open, as curl's does: asked to close, the server would cut
  // what is still being sent.
  const agent = new Agent({ keepAlive: true })
  return new Promise<number>((resolve) => {
    const sending = request(url, { method: 'POST', headers, agent }, (reply) => {
      reply.resume()
      resolve(reply.statusCode ?? 0)
    })
    sending.on('error', () => resolve(0))
    const pieces = body()
    const more = () => {
      for (let next = pieces.next(); ; next = pieces.next()) {
        if (next.done) return sending.end()
        if (!sending.write(next.value)) return sending.once('drain', more)
      }
    }
    more()
  }).finally(() => agent.destroy())
}

// Linux tells a process's memory in /proc; elsewhere the same limits hold, unmeasured.
longTestOnLinux('endless bodies, many parts and large uploads leave memory bounded and requests answered', async () => {
  const { environment, sync, call, services } = await startZinc()
  await sync()
  const { data } = (await (await call('/api/products?limit=1')).json()) as { data: { id: string }[] }
  await services.runs.close()
  const { url, pid } = await startServer(environment)
  const authorization = `Bearer ${await login(url)}`
  const upload = `${url}/api/products/${data[0]!.id}/images/upload`
  const form = { authorization, 'content-type': 'multipart/form-data; boundary=b' }
  const head = Buffer.from('--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n')
  const piece = Buffer.alloc(MIB, 7)
  function* pieces(count: number) {
    yield head
    for (let n = 0; n < count; n++) yield piece
    yield Buffer.from('\r\n--b--\r\n')
  }
  function* parts(count: number) {
    for (let n = 0; n < count; n++) yield Buffer.from(`--b\r\nContent-Disposition: form-data; name="is_primary"\r\n\r\nx\r\n`)
    yield Buffer.from('--b--\r\n')
  }
  let peak = await rssOf(pid)
  let slowest = 0
  const before = peak
  const watching = setInterval(() => {
    rssOf(pid).then(
      (now) => {
        peak = Math.max(peak, now)
      },
      () => {},
    )
    const began = performance.now()
    fetch(`${url}/health/live`).then(
      () => {
        slowest = Math.max(slowest, performance.now() - began)
      },
      () => {},
    )
  }, 100)

  const size = times(150, 1_000)
  expect(await send(upload, { ...form, 'content-length': size * MIB }, () => pieces(0))).toBe(413)
  expect(await send(upload, form, () => pieces(size))).toBe(413)
  expect(await send(upload, form, () => parts(10_000))).toBe(413)
  const burst = await Promise.all(Array.from({ length: times(12, 100) }, () => send(upload, form, () => pieces(20))))
  expect(burst.filter((status) => status !== 422 && status !== 503)).toEqual([])
  clearInterval(watching)
  expect((await fetch(`${url}/health/live`)).status).toBe(200)
  expect(peak).toBeLessThan(600)
  console.log(`memory ${Math.round(before)} MB before, ${Math.round(peak)} MB at most; /health/live at most ${Math.round(slowest)} ms`)
})
