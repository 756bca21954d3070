import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import Fastify from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { bodyTimeout } from '../../src/http/plugins/body-timeout.ts'

test('trickling bodies are cut with 408; a steady upload is not, however long it takes', async () => {
  const app = Fastify()
  app.decorateRequest('identity', null)
  app.addHook('onRequest', async (request) => {
    request.identity = { user_id: 'u', username: 'u', role: 'admin', session_id: 's', lacks_second_factor: false, key: null }
  })
  await app.register(bodyTimeout, {
    bodyTimeouts: { bodyWithinMs: 300, uploadBytesPerSecond: 2_000, uploadSpanMs: 200, lookEveryMs: 50 },
  })
  app.addContentTypeParser('multipart/form-data', (_request, payload, done) => {
    let bytes = 0
    payload.on('data', (chunk: Buffer) => (bytes += chunk.length))
    payload.on('end', () => done(null, bytes))
    payload.on('error', done)
  })
  app.addContentTypeParser('application/zip', (_request, payload, done) => {
    payload.resume()
    done(null, 'not read')
  })
  app.post('/upload', { config: { largeBody: true } }, async ({ body }) => ({ bytes: body }))
  app.post('/refused', { config: { largeBody: true } }, (_request, reply) => reply.code(413).send({}))
  app.post('/', async ({ body }) => ({ bytes: body }))
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  onTestFinished(() => app.close())

  const send = (path: string, type: string, length: number, everyMs: number, bytes: number) =>
    new Promise<{ said: string; ms: number }>((resolve) => {
      const began = performance.now()
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      let said = ''
      socket.on('data', (chunk) => {
        said += String(chunk)
        if (said.startsWith('HTTP/1.1 200')) socket.destroy()
      })
      socket.on('error', () => {})
      socket.on('close', () => resolve({ said, ms: performance.now() - began }))
      socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`)
      void (async () => {
        for (let sent = 0; sent < length && !socket.destroyed; sent += bytes) {
          socket.write('x'.repeat(Math.min(bytes, length - sent)))
          await pause(everyMs)
        }
      })()
    })
  const trickle = await Promise.all(Array.from({ length: 50 }, () => send('/', 'application/json', 1_000, 20, 1)))
  for (const { said, ms } of trickle) {
    expect(said).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"request_timeout"/)
    expect(ms).toBeLessThan(10_000)
  }
  const multipart = 'multipart/form-data; boundary=x'
  expect((await send('/upload', multipart, 1_000_000, 50, 10)).said).toMatch(/^HTTP\/1\.1 408 /)
  const steady = await send('/upload', multipart, 20_000, 25, 500)
  expect(steady.said).toMatch(/\{"bytes":20000\}/)
  expect(steady.ms).toBeGreaterThan(600)
  // One that goes on for ever after its answer would be drained for ever.
  const refused = await send('/refused', 'application/zip', 1e9, 5, 10_000)
  expect(refused.said).toMatch(/^HTTP\/1\.1 413 /)
  expect(refused.ms).toBeLessThan(20_000)
})
