import { connect } from 'node:net'

/**
 * Sends bytes as they are and answers everything that comes back until the server closes, or until
 * `until` is in it.
 */
export function sendRawHttp(url: string, bytes: string, { until }: { until?: string } = {}): Promise<string> {
  const { port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')))
    let said = ''
    socket.on('data', (chunk) => {
      said += String(chunk)
      if (until !== undefined && said.includes(until)) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(said))
  })
}
