import { expect, test } from 'vitest'
import { BadGatewayError, ConflictError, InvalidImageError, NotFoundError } from '../../src/lib/errors.ts'
import * as arabic from '../../src/messages/ar.ts'
import * as english from '../../src/messages/en.ts'
import { type Catalogue, type Entry, fillIn, nextOf, render } from '../../src/messages/message.ts'
import { around, inEnglish, message, messageAs, say } from '../../src/messages/say.ts'
import { pausedUntil } from '../../src/runs/run-handler.ts'

const entriesOf = ({ MESSAGES, CAUSES }: { MESSAGES: Catalogue; CAUSES: Catalogue }): [string, Entry][] => [
  ...Object.entries(MESSAGES),
  ...Object.entries(CAUSES),
]
const plain = (text: string | null) => text?.replace(/[\u2068\u2069]/g, '')

test('a remedy that names an address of the API has another for the page, which names none', () => {
  const ofTheApi = /\b(?:GET|POST|PUT|PATCH|DELETE) \/|confirm_removals/
  const named = entriesOf(english).filter(([, { remedy }]) => ofTheApi.test(String(remedy)))
  expect(named.length).toBeGreaterThan(15)
  expect(named.filter(([, { page }]) => page === undefined || ofTheApi.test(String(page))).map(([key]) => key)).toEqual([])
})

test('every sentence of the Arabic catalogue is Arabic', () => {
  const passedOn = new Set(['around.about', 'answer_status', 'other', 'differs', 'differs.repaired', 'notification.connection_lost'])
  const foreign = entriesOf(arabic).filter(
    ([key, entry]) => !passedOn.has(key) && ![entry.message, entry.remedy ?? 'ا'].every((text) => /[؀-ۿ]/.test(String(text))),
  )
  expect(foreign.map(([key]) => key)).toEqual([])
})

test('an error carries its facts, and each language makes a sentence of them', () => {
  const error = new InvalidImageError('too_many_pixels', { width: 9000, height: 8000, max_pixels: 64_000_000 })
  expect(error).toMatchObject({
    code: 'too_many_pixels',
    message: 'The image is 9000 × 8000, more than 64000000 pixels',
    detail: { width: 9000, height: 8000, max_pixels: 64_000_000, remedy: expect.stringContaining('as JPEG or PNG') },
  })
  expect(plain(render(arabic.MESSAGES, error))).toBe('قياس الصورة 9000 × 8000، أي أكثر من 64000000 بكسل')
})

test('one code says several things by its reason, and a reason can belong to many codes', () => {
  expect(new NotFoundError('session_not_found.named', { name: 'x' })).toMatchObject({
    code: 'session_not_found',
    message: 'Session x not found',
    params: { reason: 'named', name: 'x' },
  })
  const unanswered = inEnglish(messageAs('http_502', 'unanswered', { tries: 5, why: message('answer_status', { status: 502 }) }))
  expect(unanswered).toMatchObject({ code: 'http_502', message: 'Zoho did not respond properly after 5 attempts: HTTP 502' })
  const failed = around(around(unanswered, 'around.unread', {}), 'around.about', { about: 'items' })
  expect(failed.message).toBe('items: Zoho could not be read: Zoho did not respond properly after 5 attempts: HTTP 502')
  expect(plain(render(arabic.MESSAGES, failed))).toBe('الأصناف: تعذّرت القراءة من Zoho: لم تُجب Zoho كما ينبغي بعد 5 محاولات: HTTP 502')
  expect(new BadGatewayError(failed).detail).toEqual({ ...failed.params, remedy: failed.remedy })
})

test('a run that waits keeps its cause, and what to do is said by the catalogue of each language', () => {
  const limit = { ...message('daily_quota_exceeded', { resets_at: '2026-12-02T00:00:00Z' }), resetsAt: new Date('2026-12-02') }
  const paused = pausedUntil(limit, 'run_paused.items')
  expect(paused).toMatchObject({
    state: 'paused',
    cause: 'The daily quota of Zoho calls is used up',
    remedy: 'It resumes automatically at that time. Items are synced before images.',
    failure_code: 'daily_quota_exceeded',
  })
  const stored = { code: paused.failure_code!, params: paused.failure_params }
  expect(fillIn(nextOf(arabic.MESSAGES, stored)?.remedy, stored.params)).toBe('يُستأنف تلقائيًا في ذلك الوقت. تُزامَن الأصناف قبل الصور.')
})

test('what was stored without facts, or with those of another zinc, stays as it was stored', () => {
  expect(render(arabic.MESSAGES, { code: 'too_many_pixels', params: null })).toBeNull()
  expect(render(arabic.MESSAGES, { code: 'sku_conflict', params: { skus: 3 } })).toBeNull()
  expect(render(arabic.MESSAGES, { code: 'a_code_of_tomorrow', params: {} })).toBeNull()
  expect(render(arabic.MESSAGES, { code: 'not_an_image', params: null })).toBe('هذا الملف ليس صورة')
})

test('a message with a missing or wrong fact does not compile', () => {
  // @ts-expect-error the user name is missing
  expect(new ConflictError('username_taken').code).toBe('username_taken')
  // @ts-expect-error a figure is no text
  expect(say('image_too_large', { max_bytes: '5' }).code).toBe('image_too_large')
  // @ts-expect-error no such message
  expect(message('no_such_message').code).toBe('no_such_message')
})
