import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { drawImage } from '../../src/zoho-simulator/draw-image.ts'

/** A host of pictures on loopback: `/{seed}.jpg`; counts what it was asked for. */
export async function startImageHost(): Promise<{ host: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const seed = Number(/^\/(\d+)\.jpg/.exec(request.url ?? '')?.[1] ?? Number.NaN)
    if (Number.isNaN(seed)) return void response.writeHead(404).end()
    void drawImage({ seed, category: 'Phones' }).then((bytes) => response.writeHead(200, { 'content-type': 'image/jpeg' }).end(bytes))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}
