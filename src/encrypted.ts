import { SEALED_TOKENS } from './connection/token-store.ts'
import { SEALED_SETTINGS } from './settings/setting-store.ts'

/** Everything that is kept sealed, for the rotation of the key and its loss. */
export const SEALED = [SEALED_SETTINGS, SEALED_TOKENS]
