// `import { createRunner } from 'zinc'`. Node does not read TypeScript under node_modules, so where zinc is installed there its own files are read here.

import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'

const sources = new URL('../src/', import.meta.url).href
if (sources.includes('/node_modules/')) {
  registerHooks({
    load(url, context, nextLoad) {
      if (!url.startsWith(sources) || !url.endsWith('.ts')) return nextLoad(url, context)
      return { format: 'module', source: stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8')), shortCircuit: true }
    },
  })
}

export const { createRunner, AppError } = await import('../src/runner.ts')
