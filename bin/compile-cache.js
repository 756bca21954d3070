// Keeps what Node makes of the sources (types erased, bytecode) for the next start, which then is faster and needs no TypeScript reader in memory.
// It lies beside the packages, as trusted as they are; where nobody may write there, or Node is too old, it is just not kept.
import * as module from 'node:module'
import { fileURLToPath } from 'node:url'

module.enableCompileCache?.(fileURLToPath(new URL('../node_modules/.cache/zinc', import.meta.url)))
