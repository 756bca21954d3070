import { useLanguage } from '../i18n/language.tsx'
import { type ServerMessage, serverMessage } from '../i18n/server-messages.ts'
import { useFormat } from '../i18n/shop-zone.tsx'

interface ServerTextProps extends ServerMessage {
  /** Which of the code's two sentences it is: what happened, or what to do. */
  part: 'what' | 'next'
  /**
   * As the server wrote it: shown where code and facts are not enough, as in what an older zinc
   * stored.
   */
  children: string
}

const STAMP = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g

/**
 * A sentence of the server in the reader's language, else as it came, in English and from left to
 * right. Times are in the shop's zone.
 */
export function ServerText({ part, children, ...message }: ServerTextProps) {
  const { language } = useLanguage()
  const format = useFormat()
  const said = serverMessage(message, part, language)
  const shown = (said ?? children).replace(STAMP, (stamp) => format.dateTime(stamp))
  if (language === 'en') return <bdi>{shown}</bdi>
  if (said !== null) return <span title={children}>{shown}</span>
  return (
    <bdi lang="en" dir="ltr">
      {shown}
    </bdi>
  )
}
