import { expect, test } from 'vitest'
import { startZinc } from '../helpers/zinc.ts'

test('docs/openapi.json is the document that the server serves (`npx vitest run openapi -u` renews it)', async () => {
  const { url } = await startZinc()
  const document = await (await fetch(`${url}/docs/json`)).json()
  await expect(`${JSON.stringify(document, null, 1)}\n`).toMatchFileSnapshot('../../docs/openapi.json')
})
