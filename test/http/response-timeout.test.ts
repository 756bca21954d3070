import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import Fastify from 'fastify'
import { expect, onTestFinished } from 'vitest'
import { responseTimeout } from '../../src/http/plugins/response-timeout.ts'
import { longTest } from '../helpers/long.ts'

/** More than the sockets of both ends hold. */
const LARGE_BYTES = 32 * 1024 * 1024
const CHUNK = Buffer.alloc(64 * 1024)

longTest('a stalled reader is cut; a slow reader and a quiet response are not', async () => {
  const app = Fastify()
  await app.register(responseTimeout, { idleMs: 1_000 })
  let open = 0
  app.get('/large', async (_request, reply) => {
    open++
    const chunks = Readable.from(Array.from({ length: LARGE_BYTES / CHUNK.length }, () => CHUNK))
    chunks.once('close', () => open--)
    return reply.send(chunks)
  })
  app.get('/quiet', async (_request, reply) => {
    await pause(1_500)
    return reply.send(
      Readable.from(
        (async function* () {
          for (const word of ['one ', 'two ', 'three']) {
            await pause(1_200)
            yield word
          }
        })(),
      ),
    )
  })
  const url = new URL(await app.listen({ port: 0, host: '127.0.0.1' }))
  onTestFinished(() => app.close())
  const ask = (path: string) => {
    const socket = connect(Number(url.port), '127.0.0.1')
    socket.on('error', () => {})
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    return socket
  }

  const quiet = fetch(new URL('/quiet', url)).then((response) => response.text())
  const steady = (async () => {
    let bytes = 0
    const socket = ask('/large')
    for await (const chunk of socket) {
      bytes += chunk.length
      await pause(5)
    }
    return bytes
  })()
  const stalled = Array.from({ length: 50 }, () => ask('/large').pause())
  while (open < 51) await pause(5)
  // Those that read nothing are ended on the server's side, whatever they do; only the steady one
  // may still be at it.
  while (open > 1) await pause(5)
  await Promise.all(
    stalled.map(async (socket) => {
      const closed = once(socket, 'close')
      // What lies in the kernel's buffers is read only now: the end comes behind it.
      socket.resume()
      await closed
      expect(socket.bytesRead).toBeLessThan(LARGE_BYTES)
    }),
  )
  expect(await quiet).toBe('one two three')
  expect(await steady).toBeGreaterThan(LARGE_BYTES)
  expect(open).toBe(0)
})
