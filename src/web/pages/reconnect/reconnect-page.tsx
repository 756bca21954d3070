import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import Plug from 'lucide-react/icons/plug'
import { useEffect, useState } from 'react'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { AuthLayout } from '../../app/auth-layout.tsx'
import { Callout } from '../../components/callout.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { useLanguage, useMessages } from '../../i18n/language.tsx'
import { defineMessages } from '../../i18n/messages.ts'
import { serverMessage } from '../../i18n/server-messages.ts'
import classes from './reconnect-page.module.css'

const messages = defineMessages(
  {
    title: 'Connect zinc to Zoho',
    text: 'zinc keeps the catalogue of your shop true. Somebody who runs it asks you, as the owner of the Zoho account, to let it read there.',
    steps: 'The button leads to Zoho. Sign in there, look at what is asked for, and accept. Your password stays with Zoho.',
    go: 'Continue to Zoho',
    done: 'zinc is connected',
    doneText: 'Thank you. There is nothing more to do; you can close this window.',
    failed: 'Zoho sent you back without a connection',
    again: 'Open the link from your mail again to try once more, or ask for a new one.',
    refused: 'The consent was refused at Zoho.',
    noLink: 'This page is opened by a link that an operator of zinc sends.',
  },
  {
    title: 'وصل zinc بـ Zoho',
    text: 'يُبقي zinc فهرس متجرك صحيحًا. يطلب منك من يديره، بصفتك مالك حساب Zoho، أن تسمح له بالقراءة هناك.',
    steps: 'يقود الزر إلى Zoho. سجّل الدخول هناك وانظر ما يُطلب ثم اقبل. تبقى كلمة مرورك لدى Zoho.',
    go: 'تابع إلى Zoho',
    done: 'اتصل zinc',
    doneText: 'شكرًا. لم يبقَ شيء تفعله؛ يمكنك إغلاق هذه النافذة.',
    failed: 'أعادتك Zoho دون اتصال',
    again: 'افتح الرابط من رسالتك مرة أخرى للمحاولة، أو اطلب رابطًا جديدًا.',
    refused: 'رُفضت الموافقة في Zoho.',
    noLink: 'تُفتح هذه الصفحة برابط يرسله من يدير zinc.',
  },
)

/** For the owner of the Zoho account, who has a link and no login: to Zoho's consent page, and how it went. */
export default function ReconnectPage() {
  const m = useMessages(messages)
  const { language } = useLanguage()
  const consent = new URLSearchParams(location.search).get('consent')
  // Read once and taken out of the address bar: nobody should copy it from there.
  const [token] = useState(() => location.hash.slice(1))
  const follow = useMutation({
    mutationFn: () => request<{ data: { url: string } }>(`${ZOHO}/oauth/link/follow`, { method: 'POST', body: { token } }),
    onSuccess: ({ data }) => location.assign(data.url),
  })
  useEffect(() => {
    if (token !== '') history.replaceState(null, '', location.pathname)
  }, [token])
  return (
    <AuthLayout title={m.title}>
      {consent === 'success' ? (
        <Callout tone="good" title={m.done}>
          {m.doneText}
        </Callout>
      ) : consent !== null ? (
        <Callout tone="bad" title={m.failed}>
          {consent === 'consent_denied' ? m.refused : serverMessage({ code: consent }, 'what', language)} {m.again}{' '}
          <code dir="ltr">{consent}</code>
        </Callout>
      ) : token === '' ? (
        <Callout tone="info" title={m.noLink} />
      ) : (
        <>
          <p className={classes.text}>{m.text}</p>
          <p className={classes.text}>{m.steps}</p>
          {follow.error && <ErrorCard error={follow.error} />}
          <Button
            size="md"
            leftSection={<Plug size={16} aria-hidden />}
            loading={follow.isPending || follow.isSuccess}
            onClick={() => follow.mutate()}
          >
            {m.go}
          </Button>
        </>
      )}
    </AuthLayout>
  )
}
