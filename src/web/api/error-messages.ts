import type { Language } from '../../facts/languages.ts'
import { serverMessage } from '../i18n/server-messages.ts'
import type { ApiError } from './api-error.ts'

interface ServerMessage {
  what: string
  next?: string
}

/** Failures that only the page knows: no answer, or none that can be read. */
const OWN: Record<string, Record<Language, ServerMessage>> = {
  network: {
    en: { what: 'The server did not respond', next: 'Check your network and that zinc is running, then try again.' },
    ar: { what: 'لم يُجب الخادم', next: 'تحقّق من الشبكة ومن أن zinc يعمل، ثم أعد المحاولة.' },
  },
  server_unreachable: {
    en: { what: 'The server is unreachable right now', next: 'It may be restarting. Try again in a few seconds.' },
    ar: { what: 'لا يمكن الوصول إلى الخادم الآن', next: 'ربما يُعاد تشغيله. أعد المحاولة بعد بضع ثوانٍ.' },
  },
  unreadable_response: {
    en: {
      what: 'The response could not be read',
      next: 'Something between your browser and zinc, such as a proxy, responded instead. Try again, or contact its administrator.',
    },
    ar: { what: 'تعذّرت قراءة الإجابة', next: 'أجاب شيء آخر بين المتصفح وzinc، مثل وكيل. أعد المحاولة أو اسأل من يديره.' },
  },
  page_error: {
    en: { what: 'Something went wrong on this page', next: 'Reload the page. If it happens again, send the details below to support.' },
    ar: { what: 'حدث خطأ في هذه الصفحة', next: 'أعد تحميلها. إن تكرّر الخطأ فأرسل التفاصيل أدناه إلى الدعم.' },
  },
}

const ARABIC_FALLBACK = { what: 'لم ينجح الطلب', next: 'أعد المحاولة. إن تكرّر فأرسل التفاصيل أدناه إلى الدعم.' }

export interface ErrorMessage {
  what: string
  next: string | null
  /**
   * The API's own English sentence, where it says what the translation cannot: which field of what
   * was entered is wrong, or all of an unknown failure.
   */
  original: string | null
}

/** What an error card says in the reader's language. */
export function errorMessage(failure: ApiError, language: Language): ErrorMessage {
  const own = OWN[failure.code]
  if (own) return { next: null, ...own[language], original: failure.code === 'page_error' ? failure.message : null }
  const message = { code: failure.code, params: failure.detail }
  const what = serverMessage(message, 'what', language)
  const next = serverMessage(message, 'next', language)
  if (language === 'en') return { what: what ?? failure.message, next: next ?? failure.remedy, original: null }
  if (what !== null) return { what, next, original: null }
  return { ...ARABIC_FALLBACK, original: [failure.message, failure.remedy].filter(Boolean).join('. ') }
}
