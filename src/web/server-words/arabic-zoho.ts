import type { Words } from './words.ts'

const CONNECT_AGAIN = 'اتصل بـ Zoho من جديد.'
const BY_ITSELF = 'يتابع تلقائيًا.'

/** Zoho and the way to it: Zoho's own codes, the sign-in, limits, lists. */
export const ARABIC_ZOHO: Record<string, Words> = {
  '43': { what: 'تجاوزنا حد Zoho للدقيقة', next: BY_ITSELF },
  '44': { what: 'تجاوزنا حد Zoho للدقيقة؛ كل الطلبات تنتظر', next: `${BY_ITSELF} تستهلك البرامج الأخرى على المؤسسة نفسها الدقيقة ذاتها.` },
  '45': { what: 'نفدت طلبات اليوم لدى Zoho', next: 'يتابع تلقائيًا عندما تعطي Zoho طلبات جديدة.' },
  '57': { what: 'لا تسمح Zoho بهذا: ينقص نطاق أو صلاحية', next: 'اتصل من جديد بكل النطاقات المعروضة أدناه، أو أطفئ الوحدة.' },
  '1070': { what: 'طلبات كثيرة في آن واحد لدى Zoho', next: BY_ITSELF },
  '6041': {
    what: 'لا تعرف Zoho هذه المؤسسة، أو لا ينتمي الحساب إليها',
    next: 'اختر مؤسسة من القائمة، أو تحقّق من ZOHO_ORGANIZATION_ID.',
  },
  OAUTH_SCOPE_MISMATCH: { what: 'ينقص نطاق في CRM', next: 'اتصل من جديد بكل النطاقات المعروضة، أو أطفئ الوحدة.' },
  NO_PERMISSION: { what: 'لا يملك مستخدم Zoho هذه الصلاحية في CRM', next: 'امنحه إياها في Zoho، أو أطفئ الوحدة.' },
  access_denied: {
    what: 'لا تعطي Zoho رموز وصول الآن: كثرت طلباتها',
    next: 'يسجّل zinc الدخول تلقائيًا بعد قليل. لا تضغط «اختبر» قبل ذلك: كل محاولة تطيل الانتظار.',
  },
  bad_state: { what: 'لم تبدأ العودة من Zoho هنا، أو استُعملت، أو مضت عشر دقائق', next: 'ابدأ من جديد في هذا المتصفح.' },
  clock_wrong: { what: 'ساعة هذا الجهاز تختلف عن ساعة Zoho', next: 'اضبط ساعة الجهاز تلقائيًا (NTP).' },
  consent_link_over: {
    what: 'استُعمل هذا الرابط أو استُبدل أو سُحب، أو مضت عليه ثلاثة أيام',
    next: 'اطلب رابطًا جديدًا ممن أرسله.',
  },
  consent_refused: { what: 'لم تعطِ Zoho موافقتها', next: 'ابدأ من جديد واقبل؛ تعرض Zoho ما يطلبه zinc.' },
  day_quota_spent: { what: 'نفدت طلبات اليوم لدى Zoho', next: 'يتابع تلقائيًا عندما تعطي Zoho طلبات جديدة؛ الأصناف قبل الصور.' },
  detail_without_record: { what: 'أجابت Zoho دون السجل المطلوب', next: 'يحاول zinc من جديد في السحب التالي.' },
  differs: { what: 'الملفات تختلف عمّا في Zoho', next: 'الإصلاح يجلب ما يختلف فقط.' },
  gcp_secrets_unavailable: {
    what: 'لا يجيب Google Secret Manager',
    next: 'تحقّق من المشروع والصلاحيات؛ يحاول zinc من جديد.',
  },
  general_error: { what: 'لم تستطع Zoho تسجيل دخول zinc ولم تذكر السبب', next: 'يحاول zinc تلقائيًا. إن دام ساعة فاتصل من جديد.' },
  invalid_client: { what: 'لا تعرف Zoho معرّف العميل هذا في مركز البيانات هذا', next: 'تحقّق من معرّف العميل ومن مركز البيانات.' },
  invalid_client_secret: { what: 'سرّ العميل ليس لمعرّف العميل هذا', next: 'انسخ السرّ من جديد من وحدة تحكم Zoho API واحفظه.' },
  invalid_code: {
    what: 'لا تقبل Zoho الرمز: أُلغي أو استُعمل أو انتهت دقائقه، أو هو لعميل أو مركز بيانات آخر',
    next: `${CONNECT_AGAIN} أو أنشئ رمزًا جديدًا والصقه فورًا.`,
  },
  invalid_grant: { what: 'لا تقبل Zoho رمز التحديث: أُلغي أو ليس رمز تحديث', next: CONNECT_AGAIN },
  invalid_redirect_uri: {
    what: 'عنوان الإعادة ليس المسجّل لدى Zoho',
    next: 'سجّل عنوان الإعادة المعروض أدناه في وحدة تحكم API، وتحقّق من PUBLIC_URL.',
  },
  invalid_scope: { what: 'لا تعرف Zoho أحد النطاقات', next: 'استعمل سطر النطاقات المعروض أدناه كما هو.' },
  key_missing: {
    what: 'لا يفتح المفتاح الحالي الأسرار المحفوظة',
    next: 'شغّل zinc بالمفتاح CREDENTIALS_KEY الذي ختمها، أو أدخلها من جديد.',
  },
  list_incomplete: { what: 'أسقطت قائمة Zoho أصنافًا موجودة لديها', next: 'لم يضع شيء. ابدأ مزامنة كاملة؛ إن بقي فأخبر دعم Zoho.' },
  list_repeats: { what: 'لا تنتهي قائمة Zoho', next: 'لم يُحذف شيء. ابدأ من جديد لاحقًا؛ إن بقي فأخبر دعم Zoho.' },
  list_short: { what: 'قائمة Zoho أقصر بكثير مما هو معروف', next: 'لم يتغيّر شيء. إن كان الحذف صحيحًا فاسحب كاملًا وأكّد الحذف.' },
  list_unsorted: { what: 'لا تلتزم Zoho بالترتيب المطلوب', next: 'لم يُحذف شيء. ابدأ من جديد لاحقًا.' },
  list_without_rows: { what: 'أجابت Zoho دون القائمة المطلوبة', next: 'يحاول zinc من جديد في المزامنة التالية.' },
  no_refresh_token: {
    what: 'قبلت Zoho الرمز ولم تعطِ رمز تحديث',
    next: 'أنشئ رمزًا جديدًا؛ وفي صفحة الموافقة يُطلب الوصول دون اتصال من جديد.',
  },
  not_set_up: { what: 'Zoho غير مُعدّ بعد: تنقص بيانات اعتماد', next: 'أكملها في صفحة «الاتصال».' },
  not_tried: { what: 'لم يُجرَّب بعد', next: 'اضغط «اختبر الاتصال»؛ تفعله المزامنة الأولى أيضًا.' },
  nothing_there: { what: 'لا يوجد هذا في Zoho' },
  organization_not_found: { what: 'ليس في الحساب هذه المؤسسة', next: 'اختر واحدة من القائمة.' },
  organization_not_set: { what: 'لم تُختَر مؤسسة', next: 'اختر واحدة من القائمة أدناه.' },
  other_record: { what: 'أجابت Zoho بسجل آخر', next: 'يحاول zinc من جديد في السحب التالي.' },
  row_without_id: { what: 'في قائمة Zoho سطر بلا معرّف', next: 'لم يُتجاوز شيء: تُعاد الوحدة في السحب التالي.' },
  sign_in_unavailable: { what: 'تسجيل الدخول لدى Zoho لا يعمل الآن', next: 'يحاول zinc تلقائيًا. إن بقي فانظر status.zoho.com.' },
  test_timeout: { what: 'لم ينتهِ الاختبار في دقيقتين', next: 'هناك طلبات أخرى جارية، أو Zoho بطيئة. أعد المحاولة بعد قليل.' },
  unauthorized_client: { what: 'لا يجوز لهذا العميل الدخول هكذا', next: 'أنشئ عميلًا من نوع Self Client أو Server-based في وحدة تحكم API.' },
  unreachable: { what: 'لا يمكن الوصول إلى Zoho', next: 'تحقّق من الشبكة؛ يحاول zinc من جديد.' },
  wrong_data_center: { what: 'هذا الحساب في مركز بيانات آخر', next: 'اختر مركز البيانات الصحيح واحفظ.' },
  zoho_away: { what: 'لا تجيب Zoho الآن', next: `${BY_ITSELF} إن بقي فانظر status.zoho.com.` },
  zoho_away_for_hours: { what: 'لم تجب Zoho لساعات', next: 'يأتي ما ينقص مع المزامنة التالية. انظر status.zoho.com.' },
  zoho_unwell: { what: 'لم تجب Zoho مرات متتالية، فتُترك دقيقة', next: 'يسأل zinc من جديد بعد دقيقة. إن بقي فانظر status.zoho.com.' },
  zoho_unreachable: { what: 'لا يمكن الوصول إلى Zoho لتسجيل الدخول', next: 'تحقّق من الشبكة؛ يحاول zinc من جديد.' },
  calls_under_way: { what: 'هناك طلبات كافية جارية' },
  last_calls_of_day: { what: 'آخر طلبات اليوم جارية' },
  minute_full: { what: 'بلغ zinc عدد الطلبات المسموح به في الدقيقة' },
  minute_overrun: { what: 'تجاوزنا حد Zoho للدقيقة؛ كل الطلبات تنتظر' },
}
