import type { Language } from '../i18n/language.tsx'
import type { ApiFailure } from './failure.ts'
import { SHOP_FAILURES } from './failure-words-shop.ts'

interface Words {
  what: string
  next: string
}

/** Failures that only the page knows: no answer, or none that can be read. */
const OWN: Record<string, Record<Language, Words>> = {
  network: {
    en: { what: 'The server did not answer', next: 'Check the network and whether zinc is running, then try again.' },
    ar: { what: 'لم يُجب الخادم', next: 'تحقّق من الشبكة ومن أن zinc يعمل، ثم أعد المحاولة.' },
  },
  server_unreachable: {
    en: { what: 'The server is not reachable right now', next: 'It may be restarting. Try again in a few seconds.' },
    ar: { what: 'لا يمكن الوصول إلى الخادم الآن', next: 'ربما يُعاد تشغيله. أعد المحاولة بعد بضع ثوانٍ.' },
  },
  unreadable_answer: {
    en: {
      what: 'The answer could not be read',
      next: 'Something between the browser and zinc answered instead, such as a proxy. Try again, or ask who runs it.',
    },
    ar: { what: 'تعذّرت قراءة الإجابة', next: 'أجاب شيء آخر بين المتصفح وzinc، مثل وكيل. أعد المحاولة أو اسأل من يديره.' },
  },
  page_error: {
    en: { what: 'This page made a mistake', next: 'Reload it. If it happens again, send the details below to support.' },
    ar: { what: 'حدث خطأ في هذه الصفحة', next: 'أعد تحميلها. إن تكرّر الخطأ فأرسل التفاصيل أدناه إلى الدعم.' },
  },
}

/** Arabic for the API's codes that people meet. English comes from the API itself. */
const ARABIC: Record<string, Words> = {
  ...SHOP_FAILURES,
  wrong_login: { what: 'اسم المستخدم أو كلمة المرور غير صحيحة', next: 'تحقّق منهما وأعد المحاولة.' },
  login_required: { what: 'انتهت الجلسة', next: 'سجّل الدخول من جديد.' },
  too_many_logins: { what: 'محاولات دخول كثيرة', next: 'انتظر قليلًا ثم أعد المحاولة.' },
  too_many_requests: { what: 'طلبات كثيرة جدًا', next: 'انتظر قليلًا ثم أعد المحاولة.' },
  role_too_low: { what: 'لا تسمح صلاحيتك بهذا', next: 'اطلب من المدير القيام به أو منحك الصلاحية.' },
  not_found: { what: 'لا يوجد شيء في هذا العنوان', next: 'عُد إلى الصفحة السابقة.' },
  internal: { what: 'حدث خطأ في zinc', next: 'يشرحه السجل تحت رقم الطلب أدناه.' },
  database_unavailable: { what: 'قاعدة البيانات لا تجيب', next: 'أعد المحاولة بعد بضع ثوانٍ؛ يتابع zinc العمل حالما تعود.' },
  sync_running: { what: 'هناك تشغيل جارٍ من هذا النوع', next: 'انتظر حتى ينتهي أو افتحه وألغِه.' },
  run_not_found: { what: 'لا يوجد هذا التشغيل', next: 'عُد إلى قائمة التشغيلات.' },
  run_finished: { what: 'انتهى هذا التشغيل', next: 'ابدأ تشغيلًا جديدًا إن لزم.' },
  run_not_paused: { what: 'لا يُستأنف إلا تشغيل متوقف مؤقتًا', next: 'حدّث الصفحة لترى حالته.' },
  module_disabled: { what: 'هذه الوحدة مطفأة', next: 'شغّلها أولًا ثم زامنها.' },
  set_by_environment: { what: 'هذه القيمة محددة في بيئة الخادم', next: 'غيّرها هناك ثم أعد تشغيل zinc.' },
  not_connected: { what: 'Zoho غير موصول', next: 'أكمل بيانات الاتصال ثم اختبرها.' },
  zoho_not_set_up: { what: 'Zoho غير مُعدّ بعد', next: 'أكمل بيانات الاتصال في صفحة «الاتصال».' },
  invalid_client: { what: 'لا تعرف Zoho معرّف العميل هذا', next: 'تحقّق من معرّف العميل ومن مركز البيانات.' },
  invalid_client_secret: { what: 'رفضت Zoho سرّ العميل', next: 'انسخ السرّ من جديد من وحدة تحكم Zoho واحفظه.' },
  invalid_code: { what: 'رفضت Zoho الرمز', next: 'أنشئ رمزًا جديدًا؛ فهو صالح لمرة واحدة ولدقائق قليلة.' },
  wrong_data_center: { what: 'هذا الحساب في مركز بيانات آخر', next: 'اختر مركز البيانات الصحيح واحفظ.' },
  last_admin: { what: 'لا بد من بقاء مدير واحد', next: 'اجعل شخصًا آخر مديرًا أولًا.' },
  username_taken: { what: 'اسم المستخدم مستعمل', next: 'اختر اسمًا آخر.' },
  store_not_found: { what: 'لا يوجد هذا المتجر', next: 'عُد إلى قائمة المتاجر.' },
  product_not_found: { what: 'لا يوجد هذا المنتج', next: 'عُد إلى قائمة المنتجات.' },
}

const ARABIC_FALLBACK: Words = { what: 'لم ينجح الطلب', next: 'أعد المحاولة. إن تكرّر فأرسل التفاصيل أدناه إلى الدعم.' }

export interface FailureWords {
  what: string
  next: string | null
  /** The API's own English sentence, where the reader gets a translation: it may say more. */
  original: string | null
}

/** What an error card says in the reader's language. */
export function wordsOf(failure: ApiFailure, language: Language): FailureWords {
  const own = OWN[failure.code]
  if (own) return { ...own[language], original: failure.code === 'page_error' ? failure.message : null }
  if (language === 'en') return { what: failure.message, next: failure.remedy, original: null }
  const words = ARABIC[failure.code] ?? ARABIC_FALLBACK
  return { ...words, original: [failure.message, failure.remedy].filter(Boolean).join('. ') }
}
