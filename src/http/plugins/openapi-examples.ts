import { readFileSync } from 'node:fs'
import { MESSAGES } from '../../messages/en.ts'
import { type Entry, fillIn } from '../../messages/message.ts'

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

/** Stands for every parameter of a message: in a text it is an ellipsis, and it can be listed. */
const ANY_PARAMS = new Proxy({}, { get: () => ['…'] })

/** The recorded response with an error code; for a code that is hard to bring about, its texts. */
export function exampleOfError(code: string, { errors }: RecordedExamples): unknown {
  if (code in errors) return errors[code]
  const found = Object.entries<Entry>(MESSAGES).find(([key]) => key === code || key.startsWith(`${code}.`))?.[1]
  const remedy = fillIn(found?.remedy, ANY_PARAMS)
  return {
    status: 'error',
    code,
    message: fillIn(found?.message, ANY_PARAMS) ?? code.replaceAll('_', ' '),
    detail: { ...(remedy !== null && { remedy }) },
    request_id: '5f0c2a52-6b1e-4d0a-9f53-000000000001',
  }
}
