import { useLanguage } from '../i18n/language.tsx'
import { pageRemedy } from '../i18n/server-messages/en-remedies.ts'
import { serverMessages, translateServerText } from '../i18n/server-messages/index.ts'
import { useFormat } from '../i18n/shop-zone.tsx'

interface ServerTextProps {
  /** The stable code that comes with the sentence; null where there is none. */
  code: string | null | undefined
  /** Which of the code's two sentences it is: what happened, or what to do. */
  part: 'what' | 'next'
  /** As the server wrote it. */
  children: string
}

const STAMP = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g

/**
 * A sentence of the server in the reader's language: with its figures where the sentence is known, else as its code says it, else as it came, in English
 * and from left to right. Times stand in the shop's zone.
 */
export function ServerText({ code, part, children }: ServerTextProps) {
  const { language } = useLanguage()
  const format = useFormat()
  const said = translateServerText(children, language) ?? serverMessages(code, language)?.[part]
  const shown = (said ?? (part === 'next' ? pageRemedy(code, children) : children)).replace(STAMP, (stamp) => format.dateTime(stamp))
  if (said !== undefined) return <span title={children}>{shown}</span>
  if (language === 'en') return <bdi>{shown}</bdi>
  return (
    <bdi lang="en" dir="ltr">
      {shown}
    </bdi>
  )
}
