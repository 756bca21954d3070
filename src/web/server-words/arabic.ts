import { ARABIC_PICTURES } from './arabic-pictures.ts'
import { ARABIC_REQUESTS } from './arabic-requests.ts'
import { ARABIC_ZOHO } from './arabic-zoho.ts'
import type { Words } from './words.ts'

/** Arabic for every code that the server sends to people; a chunk of its own, since only Arabic readers need it. A test holds that none is missing. */
export const ARABIC: Record<string, Words> = { ...ARABIC_REQUESTS, ...ARABIC_ZOHO, ...ARABIC_PICTURES }
