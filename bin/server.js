// `npm start`.
import { exitUnlessInstalled } from './check-install.js'

exitUnlessInstalled()
await import('../dist/server.js')
