import { ENCRYPTED_TOKENS } from './connection/token-store.ts'
import { ENCRYPTED_SETTINGS } from './settings/setting-store.ts'

/** Everything that is kept sealed, for the rotation of the key and its loss. */
export const ENCRYPTED_COLUMNS = [ENCRYPTED_SETTINGS, ENCRYPTED_TOKENS]
