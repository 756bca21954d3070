import { readFileSync } from 'node:fs'

/** What `test/http/openapi-examples.test.ts` recorded from a running zinc. */
export interface RecordedExamples {
  /** By operationId; responses by status, text where the response is not JSON. */
  operations: Record<string, { request?: unknown; responses: Record<string, unknown> }>
  /** One response for each error code. */
  errors: Record<string, unknown>
}

/** Beside this file, in `src` and in `dist`; read only when the document is asked for. */
export const EXAMPLES_FILE = new URL('./openapi-examples.json', import.meta.url)

export const readExamples = (): RecordedExamples => JSON.parse(readFileSync(EXAMPLES_FILE, 'utf8')) as RecordedExamples
