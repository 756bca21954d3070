// `npm run demo`.
import { exitUnlessInstalled } from './check-install.js'

exitUnlessInstalled()
await import('../dist/demo.js')
