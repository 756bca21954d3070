import type { TestZinc } from './zinc.ts'

const AT = '/api/settings/integrations/zoho'

/** One call below the Zoho settings' address, with a JSON body; the answer with its status. */
export async function request(zinc: Pick<TestZinc, 'call'>, method: string, path: string, body?: unknown) {
  const response = await zinc.call(`${AT}${path}`, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
  return { status: response.status, body: (await response.json()) as any }
}
