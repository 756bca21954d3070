import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { SCOPES } from '../../src/connection/scopes.ts'
import { actionLabels } from '../../src/web/pages/audit/action-labels.ts'
import { describeScope } from '../../src/web/pages/connection/scope-labels.ts'

test('every action of the audit log has words in both languages', () => {
  const noted = new Set<string>()
  for (const file of globSync('src/{auth,catalog,cli,connection,http,images,photo-sync,settings,sync}/**/*.ts')) {
    const text = readFileSync(file, 'utf8')
    for (const [, action] of text.matchAll(/action: (?:[^,'\n]* \? )?'([a-z_.]+)'/g)) noted.add(action!)
    for (const [, verb] of text.matchAll(/audited\(request, '([a-z_]+)'/g)) noted.add(`image.${verb}`)
  }
  expect(noted.size).toBeGreaterThan(20)
  for (const words of [actionLabels.en, actionLabels.ar])
    expect([...noted].filter((action) => (words as Record<string, string>)[action] === undefined)).toEqual([])
})

test('what each scope opens has words in Arabic', () => {
  for (const [slug, scopes] of Object.entries(SCOPES))
    for (const { scope } of scopes) expect(describeScope(scope, 'ar'), `${slug} ${scope}`).toMatch(/[؀-ۿ]/)
})
