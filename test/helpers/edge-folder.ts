import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { type PullOptions, pull } from '../../src/edge-client/pull.ts'
import type { SyncPhoto } from '../../src/schemas/photo-sync.ts'
import type { TestStore } from './test-shop.ts'

/** A folder for the pictures of an edge server; it is gone when the test ends. */
export async function edgeFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'zinc-edge-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

export const puller =
  (store: TestStore, server: string, dir: string) =>
  (more: Partial<PullOptions> = {}) =>
    pull({
      server,
      storeId: store.id,
      token: store.token,
      dir,
      variant: null,
      verify: false,
      signal: new AbortController().signal,
      ...more,
    })

export const shownFiles = async (dir: string) => (await readdir(dir)).filter((name) => !name.startsWith('.')).sort()
export const sha256Of = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex')

/** The folder holds exactly the listed photos, each with the listed bytes. */
export async function expectMirror(dir: string, photos: SyncPhoto[]): Promise<void> {
  const files = await shownFiles(dir)
  expect(files.map((name) => name.split('.')[0])).toEqual(photos.map((photo) => photo.id).sort())
  for (const photo of photos) expect(await sha256Of(join(dir, files.find((name) => name.startsWith(photo.id))!))).toBe(photo.sha256)
}
