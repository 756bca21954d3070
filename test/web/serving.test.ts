import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { startZinc } from '../helpers/zinc.ts'

const DIST = 'dist/web'
/** Smaller files are served as they are. */
const COMPRESSED_FROM_BYTES = 1_000
/** The promise of the README. */
const FIRST_LOAD_MAX_BYTES = 200_000
const PAGE_MAX_BYTES = 120_000

test('the page is served at its own addresses only, strictly, and its hashed files may be kept for ever', async () => {
  const { url } = await startZinc()
  for (const path of [
    '/settings/integrations/zoho',
    '/settings/integrations/zoho/',
    '/settings/integrations/zoho/runs/x.y',
    '/settings/users',
  ]) {
    const response = await fetch(`${url}${path}`)
    expect(`${response.status} ${path}`).toBe(`200 ${path}`)
    expect(response.headers.get('content-type')).toMatch(/^text\/html/)
    expect(response.headers.get('cache-control')).toBe('no-cache')
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain("style-src 'self';")
    expect(policy).not.toContain('unsafe')
  }
  for (const path of ['/', '/settings'])
    expect((await fetch(`${url}${path}`, { redirect: 'manual' })).headers.get('location')).toBe('/settings/integrations/zoho')

  const html = await (await fetch(`${url}/settings/integrations/zoho`)).text()
  expect(html).not.toMatch(/<style|style=|<script(?![^>]*\ssrc=)[^>]*>|\son[a-z]+=/i)
  const scripts = [...html.matchAll(/(?:src|href|data-arabic-font)="(\/settings\/assets\/[^"]+)"/g)].map((match) => match[1])
  expect(scripts.length).toBeGreaterThan(1)
  for (const script of scripts) {
    const response = await fetch(`${url}${script}`, { headers: { 'accept-encoding': 'br' } })
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(response.status, script).toBe(200)
    const { length } = await response.text()
    if (!script?.endsWith('.woff2') && length >= COMPRESSED_FROM_BYTES) expect(response.headers.get('content-encoding')).toBe('br')
  }
  for (const path of [
    '/settings/assets/none.js',
    '/settings/assets/..%2f..%2f..%2fserver.ts',
    '/api/none',
    '/api/settings/none',
    '/none',
  ]) {
    const response = await fetch(`${url}${path}`)
    expect(response.status, path).toBeGreaterThanOrEqual(400)
    expect(await response.json()).toMatchObject({ status: 'error' })
  }
})

test('the first load is under 200 KB of compressed JavaScript, and each page is a chunk of its own', async () => {
  interface Chunk {
    file: string
    isEntry?: boolean
    imports?: string[]
    dynamicImports?: string[]
  }
  const manifest = JSON.parse(await readFile(join(DIST, '.vite/manifest.json'), 'utf8')) as Record<string, Chunk>
  const withImports = (name: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(name)) return seen
    seen.add(name)
    for (const other of manifest[name]?.imports ?? []) withImports(other, seen)
    return seen
  }
  const entry = Object.keys(manifest).find((name) => manifest[name]?.isEntry)
  expect(entry).toBeDefined()
  const first = withImports('pages/overview/overview-page.tsx', withImports(entry!))
  const sizes = new Map<string, number>()
  const compressedBytes = async (names: Iterable<string>) => {
    let bytes = 0
    for (const name of names) {
      const file = manifest[name]?.file ?? ''
      if (!file.endsWith('.js')) continue
      if (!sizes.has(file)) {
        const script = await readFile(join(DIST, file))
        sizes.set(file, gzipSync(script, { level: 9 }).length)
        // What is served is what was built: the compressed copy is not of an earlier build.
        if (script.length >= COMPRESSED_FROM_BYTES) expect(gunzipSync(await readFile(join(DIST, `${file}.gz`)))).toEqual(script)
      }
      bytes += sizes.get(file)!
    }
    return bytes
  }
  const bytes = await compressedBytes(first)
  expect(bytes).toBeGreaterThan(50_000)
  expect(bytes).toBeLessThan(FIRST_LOAD_MAX_BYTES)
  // Each page adds little to what the first one has loaded.
  const pages = Object.keys(manifest).filter((name) => /^pages\/[^/]+\/[^/]+-page\.tsx$/.test(name))
  expect(pages.length).toBeGreaterThan(15)
  for (const page of pages) {
    const added = [...withImports(page)].filter((name) => !first.has(name))
    expect([page, (await compressedBytes(added)) < PAGE_MAX_BYTES]).toEqual([page, true])
  }
  const later = [...first].flatMap((name) => manifest[name]?.dynamicImports ?? [])
  expect(later.filter((name) => name.startsWith('pages/')).length).toBeGreaterThan(3)
})
