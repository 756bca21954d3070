import { createHash } from 'node:crypto'
import { z } from 'zod'
import { createApiClient } from './api-client.ts'
import { HttpError, NetworkError } from './http.ts'

export interface Check {
  name: string
  ok: boolean
  ms: number
  message: string
}

const Login = z.object({ data: z.object({ access_token: z.string() }) })

export interface CheckOptions {
  server: string
  storeId: string
  /** A user's login, or a token. */
  access: { username: string; password: string } | { token: string }
  signal: AbortSignal
}

/**
 * Tries everything that an edge server needs, step by step, and returns for each whether it works.
 * Changes nothing on the server.
 */
export async function checkServer({ server, storeId, access, signal }: CheckOptions): Promise<Check[]> {
  const checks: Check[] = []
  async function step<T>(name: string, work: () => Promise<{ message: string; value: T }>): Promise<T | null> {
    const began = performance.now()
    const ms = () => Math.round(performance.now() - began)
    try {
      const { message, value } = await work()
      checks.push({ name, ok: true, ms: ms(), message })
      return value
    } catch (error) {
      if (!(error instanceof Error)) throw error
      const remedy = error instanceof HttpError && error.remedy ? ` ${error.remedy}` : ''
      checks.push({ name, ok: false, ms: ms(), message: `${error.message}.${remedy}`.replace('..', '.') })
      return null
    }
  }

  const token =
    'token' in access
      ? access.token
      : await step('login', async () => ({ message: `logged in as ${access.username}`, value: await login(server, access, signal) }))
  if (token === null) return checks
  const api = createApiClient({ server, storeId, token, signal })

  const page = await step('list', async () => {
    const value = await api.list({ cursor: null, limit: 100 })
    return { message: `${value.total} photos`, value }
  })
  if (page === null) return checks
  const [photo] = page.photos
  if (photo) {
    const got = await step('download', async () => {
      const { header, chunks } = await api.download(photo.id, { variant: null, from: 0, sha256: null })
      const hash = createHash('md5')
      let size = 0
      for await (const chunk of chunks) {
        hash.update(chunk)
        size += chunk.length
      }
      if (size !== photo.size) throw new Error(`${photo.filename} has ${size} bytes, listed with ${photo.size}`)
      return { message: `${photo.filename}, ${size} bytes`, value: { md5: hash.digest('hex'), header: header('x-checksum') } }
    })
    if (got)
      await step('md5', async () => {
        if (got.md5 !== photo.checksum || got.header !== photo.checksum)
          throw new Error(`The MD5 is ${got.md5}, listed as ${photo.checksum}`)
        return { message: got.md5, value: null }
      })
    // Dated long ago: it proves that reports arrive and never replaces a report of the store's own
    // edge server.
    await step('report', async () => {
      const { updated, unknown } = await api.report([
        { photo_id: photo.id, status: 'pending', synced_at: '1970-01-01T00:00:00.000Z', error: null },
      ])
      if (unknown.length > 0) throw new Error('The server does not know the photo that it has just listed')
      return { message: updated === 1 ? 'taken' : 'taken; the store has reported this photo already', value: null }
    })
  } else checks.push({ name: 'download', ok: true, ms: 0, message: 'the store has no photos yet' })
  await step('incremental', async () => {
    const { photos } = await api.listSince(page.server_time)
    return { message: `${photos.length} changed since ${page.server_time}`, value: null }
  })
  return checks
}

async function login(server: string, { username, password }: { username: string; password: string }, signal: AbortSignal): Promise<string> {
  const response = await fetch(`${server.replace(/\/+$/, '')}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]),
  }).catch((cause: Error) => {
    throw new NetworkError(`The server cannot be reached at ${server}`, { cause })
  })
  const read = Login.safeParse(await response.json().catch(() => null))
  if (response.status === 401) throw new Error('Wrong username or password')
  if (!read.success) throw new Error(`The login answered ${response.status}`)
  return read.data.data.access_token
}
