import type { Language } from '../../facts/languages.ts'

/**
 * Latin digits in Arabic, too: they stand beside SKUs, prices and ids, which are written so in the
 * shops.
 */
const LOCALES: Record<Language, string> = { en: 'en-GB', ar: 'ar-u-nu-latn' }
/** Of a thousand each, as disks count; shorter than Intl's, so that they fit a tile. */
const BYTE_UNITS: Record<Language, string[]> = { en: ['B', 'kB', 'MB', 'GB', 'TB'], ar: ['بايت', 'ك.ب', 'م.ب', 'ج.ب', 'ت.ب'] }
/** 4m 53s; Arabic has no shorter form than the short one that reads well. */
const UNIT_DISPLAY: Record<Language, 'narrow' | 'short'> = { en: 'narrow', ar: 'short' }
/** A sign would point the other way in a text from right to left. */
const UNDER: Record<Language, string> = { en: 'under', ar: 'أقل من' }

export interface Format {
  number(value: number): string
  /** 0.5 -> 50% */
  percent(share: number): string
  /** Decimal text as the API sends it; never through a float that could change it. */
  money(amount: string, currency: string | null): string
  bytes(value: number): string
  /** 61_500 -> 1m 2s */
  duration(ms: number): string
  /** 27 Nov 2026, 03:00 GMT+3: a time is nothing without its zone. */
  dateTime(iso: string): string
  /** The same to the second, for lists of what happened within one minute. */
  dateTimeSeconds(iso: string): string
  /** Fri 27 Nov, 03:00: for what comes within days. */
  dayTime(iso: string): string
  date(iso: string): string
  time(iso: string): string
  /** 5 minutes ago, in 3 hours */
  relative(iso: string, now?: number): string
}

/** Formats for people, in their language and in the shop's time zone. */
export function createFormat(language: Language, timeZone: string | undefined): Format {
  const locale = LOCALES[language]
  const zone = timeZone ? { timeZone } : {}
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 })
  const oneDigit = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 })
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 })
  // Named months: figures alone are read in two orders, and from right to left in a third.
  const day: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short', year: 'numeric', ...zone }
  const dateTime = new Intl.DateTimeFormat(locale, { ...day, hour: '2-digit', minute: '2-digit', hour12: false, timeZoneName: 'short' })
  const dateTimeSeconds = new Intl.DateTimeFormat(locale, {
    ...day,
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hour12: false,
    timeZoneName: 'short',
  })
  const dayTime = new Intl.DateTimeFormat(locale, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
    ...zone,
  })
  const date = new Intl.DateTimeFormat(locale, day)
  const time = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hour12: false, ...zone })
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  const unitDisplay = UNIT_DISPLAY[language]
  const unit = (value: number, name: string) =>
    new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay, maximumFractionDigits: 0 }).format(value)

  return {
    number: (value) => number.format(value),
    // One of thousands is not none.
    percent: (share) => (share > 0 && share < 0.001 ? `${UNDER[language]}\u00a0${percent.format(0.001)}` : percent.format(share)),
    money(amount, currency) {
      // Intl takes decimal text exactly as it is.
      const text = amount as Intl.StringNumericLiteral
      if (currency === null || !/^[A-Z]{3}$/.test(currency)) return new Intl.NumberFormat(locale, { maximumFractionDigits: 6 }).format(text)
      return new Intl.NumberFormat(locale, {
        style: 'currency',
        currency,
        currencyDisplay: 'code',
        maximumFractionDigits: 6,
      }).format(text)
    },
    bytes(value) {
      const step = value < 1 ? 0 : Math.min(Math.floor(Math.log(value) / Math.log(1000)), BYTE_UNITS[language].length - 1)
      return `${oneDigit.format(value / 1000 ** step)}\u00a0${BYTE_UNITS[language][step]}`
    },
    duration(ms) {
      if (ms < 1_000) return unit(Math.round(ms), 'millisecond')
      const seconds = Math.round(ms / 1_000)
      if (seconds < 60) return unit(seconds, 'second')
      const minutes = Math.floor(seconds / 60)
      if (minutes < 60) return seconds % 60 === 0 ? unit(minutes, 'minute') : `${unit(minutes, 'minute')} ${unit(seconds % 60, 'second')}`
      const hours = Math.floor(minutes / 60)
      if (hours < 48) return minutes % 60 === 0 ? unit(hours, 'hour') : `${unit(hours, 'hour')} ${unit(minutes % 60, 'minute')}`
      return unit(Math.round(hours / 24), 'day')
    },
    dateTime: (iso) => dateTime.format(new Date(iso)),
    dateTimeSeconds: (iso) => dateTimeSeconds.format(new Date(iso)),
    dayTime: (iso) => dayTime.format(new Date(iso)),
    date: (iso) => date.format(new Date(iso)),
    time: (iso) => time.format(new Date(iso)),
    relative(iso, now = Date.now()) {
      const seconds = Math.round((new Date(iso).getTime() - now) / 1_000)
      const size = Math.abs(seconds)
      if (size < 60) return relative.format(seconds, 'second')
      if (size < 3_600) return relative.format(Math.round(seconds / 60), 'minute')
      if (size < 86_400) return relative.format(Math.round(seconds / 3_600), 'hour')
      return relative.format(Math.round(seconds / 86_400), 'day')
    },
  }
}
