import { useLanguage } from '../i18n/language.tsx'
import { serverWords } from '../server-words/server-words.ts'

interface ServerTextProps {
  /** The stable code that comes with the sentence. */
  code: string | null | undefined
  /** Which of the code's two sentences it is: what happened, or what to do. */
  part: 'what' | 'next'
  /** As the server wrote it. */
  children: string
}

/** A sentence of the server: in the reader's language where its code is known, else as it came, in English and from left to right. */
export function ServerText({ code, part, children }: ServerTextProps) {
  const { language } = useLanguage()
  const words = serverWords(code, language)?.[part]
  if (words !== undefined) return <span title={children}>{words}</span>
  if (language === 'en') return <bdi>{children}</bdi>
  return (
    <bdi lang="en" dir="ltr">
      {children}
    </bdi>
  )
}
