import { ARABIC_IMAGES } from './ar-images.ts'
import { ARABIC_REQUESTS } from './ar-requests.ts'
import { ARABIC_ZOHO } from './ar-zoho.ts'
import type { ServerMessage } from './types.ts'

/** Arabic for every code that the server sends to people; a chunk of its own, since only Arabic readers need it. A test holds that none is missing. */
export const ARABIC: Record<string, ServerMessage> = { ...ARABIC_REQUESTS, ...ARABIC_ZOHO, ...ARABIC_IMAGES }
