import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import type { Document } from '../../src/http/plugins/openapi-document.ts'
import { openZinc } from '../helpers/zinc.ts'

const run = promisify(execFile)
const FILE = 'docs/openapi.json'
/** Their bodies are files; there is nothing to read in an example. */
const BINARY = /^(image\/\*|application\/(zip|x-tar|vnd\.apache\.parquet|x-ndjson)|text\/csv|multipart\/form-data)$/

let document: Document
beforeAll(async () => {
  const zinc = await openZinc()
  document = (await (await fetch(`${zinc.url}/docs/json`)).json()) as Document
  return zinc.end
})

test('docs/openapi.json is the document that the server serves (`npx vitest run openapi -u` renews it)', async () => {
  await expect(`${JSON.stringify(document, null, 1)}\n`).toMatchFileSnapshot(`../../${FILE}`)
})

test('each operation has an id, who may call it, and an example of each parameter, body and response', () => {
  const lacking: string[] = []
  const ids = new Set<string>()
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(methods)) {
      const lacks = (what: string) => lacking.push(`${method} ${path}: ${what}`)
      if (!operation.operationId || ids.has(operation.operationId)) lacks('operationId')
      ids.add(operation.operationId)
      if (!/Needs (no login|the role|a signed URL)/.test(operation.description)) lacks('who may call it')
      for (const { name, example } of operation.parameters ?? []) if (example === undefined) lacks(`example of ${name}`)
      const bodies = { request: operation.requestBody, ...operation.responses }
      for (const [status, body] of Object.entries(bodies))
        for (const [type, media] of Object.entries(body?.content ?? {})) {
          if (!media.schema) lacks(`schema of ${status}`)
          const isShown = media.example !== undefined || Object.keys(media.examples ?? {}).length > 0
          if (!isShown && !BINARY.test(type)) lacks(`example of ${status} ${type}`)
        }
    }
  expect(ids.size).toBeGreaterThan(140)
  expect(lacking).toEqual([])
})

test('redocly lint finds no error', async () => {
  const environment = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  const { stdout } = await run('node_modules/.bin/redocly', ['lint', FILE, '--format', 'json'], { env: environment, maxBuffer: 1 << 26 })
  const { totals, problems } = JSON.parse(stdout) as { totals: { errors: number }; problems: { ruleId: string; severity: string }[] }
  // An example that does not fit its schema is only a warning by default.
  expect(problems.filter(({ severity, ruleId }) => severity === 'error' || ruleId.startsWith('no-invalid'))).toEqual([])
  expect(totals.errors).toBe(0)
})
