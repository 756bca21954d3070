import type { TestZinc } from './zinc.ts'

const AT = '/api/settings/integrations/zoho'

/** One call below the Zoho settings' address, with a JSON body; the answer with its status. */
export async function ask(zinc: Pick<TestZinc, 'call'>, method: string, path: string, body?: unknown) {
  const answer = await zinc.call(`${AT}${path}`, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
  return { status: answer.status, body: (await answer.json()) as any }
}
