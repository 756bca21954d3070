import { ERRORS_OF } from './openapi-errors.ts'
import { exampleOfError, readExamples } from './openapi-examples.ts'
import { exampleOfParameter } from './openapi-parameters.ts'

interface MediaType {
  schema?: object
  example?: unknown
  examples?: Record<string, object>
}
interface Response {
  $ref?: string
  description: string
  content?: Record<string, MediaType>
}
export interface Operation {
  operationId: string
  'x-scope'?: string
  'x-produces'?: string[]
  security: object[]
  description: string
  parameters?: { name: string; in: string; schema: Record<string, unknown>; example?: unknown }[]
  requestBody?: { content: Record<string, MediaType> }
  responses: Record<string, Response>
}
/** The part of an OpenAPI document that is completed here. */
export interface Document {
  components: Record<string, Record<string, object>>
  paths: Record<string, Record<string, Operation>>
}

/** The format of every error, whichever layer it comes from. */
const ERROR = {
  type: 'object',
  required: ['status', 'code', 'message', 'detail', 'request_id'],
  properties: {
    status: { type: 'string', enum: ['error'] },
    code: { type: 'string', description: 'Stable, in snake_case: what programs switch on.' },
    message: { type: 'string', description: 'For people.' },
    detail: { type: 'object', properties: { remedy: { type: 'string', description: 'What to do next.' } }, additionalProperties: true },
    request_id: { type: 'string' },
    run_id: { type: 'string', format: 'uuid' },
  },
} as const
const ERROR_REF = { $ref: '#/components/schemas/Error' }

const DESCRIPTIONS: Record<string, string> = {
  200: 'Success',
  201: 'Created',
  202: 'Accepted: it continues in the background',
  302: 'Redirect',
  304: 'Not modified since the response with that ETag',
  400: 'The request is wrong',
  401: 'Not authenticated',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Not possible in the current state',
  410: 'Gone',
  412: 'The state that the client expects has changed',
  413: 'The body is too large',
  415: 'The content type of the body is not supported',
  416: 'The range begins after the end',
  422: 'The image cannot be used',
  429: 'Too many requests; Retry-After says when to retry',
  500: 'An unexpected error',
  502: 'Zoho failed; its code, where it sent one',
  503: 'Unavailable at the moment; Retry-After says when to retry',
  default: 'Any other error',
}

/**
 * Adds what no route repeats: an example to each parameter, body and response, the errors of each
 * kind of operation, and the media types of what is not JSON. Returns the same document.
 */
export function completeDocument(document: Document): Document {
  const examples = readExamples()
  dropPatternsOfFormats(document)
  const shown: Record<string, object> = {}
  document.components.examples = shown
  document.components.schemas = { ...document.components.schemas, Error: ERROR }
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const recorded = examples.operations[operation.operationId]
      for (const parameter of operation.parameters ?? []) parameter.example ??= exampleOfParameter(parameter, operation.operationId)
      for (const media of Object.values(operation.requestBody?.content ?? {}))
        if (recorded?.request !== undefined) media.example = recorded.request
      const { 'x-produces': produces, ...rest } = operation
      const responses = successes(operation.responses, produces)
      for (const [status, response] of Object.entries(responses))
        for (const [type, media] of Object.entries(response.content ?? {})) {
          const example = recorded?.responses[status]
          if (example !== undefined && (typeof example === 'string') !== (type === 'application/json')) media.example = example
        }
      for (const [status, codes] of Object.entries({ ...errorsOf(path, operation), default: ['internal'] })) {
        responses[status] = errorResponse(status, codes)
        for (const code of codes) shown[code] ??= { value: exampleOfError(code, examples) }
      }
      methods[method] = { ...rest, responses }
    }
  }
  return document
}

/** zod writes a long pattern beside each format, which says the same. */
function dropPatternsOfFormats(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  if ('pattern' in value && 'format' in value && typeof value.format === 'string') delete value.pattern
  for (const part of Object.values(value)) dropPatternsOfFormats(part)
}

function successes(given: Record<string, Response>, produces: string[] | undefined): Record<string, Response> {
  const binary = Object.fromEntries((produces ?? []).map((type) => [type, { schema: schemaOf(type) }]))
  const responses: Record<string, Response> = {}
  for (const [status, response] of Object.entries(given)) {
    if (status === 'default') continue
    const description = response.description === 'Default Response' ? (DESCRIPTIONS[status] ?? 'Success') : response.description
    // Neither has a body.
    const content = status === '304' || status === '302' ? undefined : response.content
    responses[status] = { description, ...(content && { content }) }
  }
  if (produces) responses[200] = { description: DESCRIPTIONS[200]!, content: { ...given[200]?.content, ...binary } }
  return responses
}

const schemaOf = (type: string): object =>
  /^text\//.test(type) ? { type: 'string' } : { type: 'string', format: 'binary', contentMediaType: type }

function errorResponse(status: string, codes: string[]): Response {
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]))
  return {
    description: `${DESCRIPTIONS[status] ?? 'An error'}: ${codes.map((code) => `\`${code}\``).join(', ')}`,
    content: { 'application/json': { schema: ERROR_REF, examples } },
  }
}

/** The error codes of an operation by status: its own, and those of every operation of its kind. */
function errorsOf(path: string, { operationId, security, requestBody, parameters = [], 'x-scope': scope }: Operation) {
  const own = Object.entries(ERRORS_OF[operationId] ?? {})
  const all = new Map<string, string[]>(own.map(([status, codes]) => [status, [...codes]]))
  const add = (status: number, ...codes: string[]) => {
    const known = all.get(String(status)) ?? []
    all.set(String(status), [...known, ...codes.filter((code) => !known.includes(code))])
  }
  if (requestBody || parameters.length > 0) add(400, 'bad_request')
  if (requestBody || parameters.some((it) => it.in === 'query')) add(400, 'unknown_parameter')
  if (requestBody?.content['application/json']) {
    add(400, 'invalid_json')
    add(413, 'payload_too_large')
    add(415, 'unsupported_media_type')
  }
  if (security.length > 0) {
    add(401, 'unauthenticated')
    add(
      403,
      'forbidden',
      scope === undefined ? 'not_for_keys' : 'insufficient_scope',
      'second_factor_setup_required',
      'edge_token_not_allowed',
    )
  }
  if (!path.startsWith('/health') && path !== '/metrics') add(429, 'too_many_requests')
  add(503, 'database_unavailable')
  return Object.fromEntries([...all].sort(([a], [b]) => Number(a) - Number(b)))
}
