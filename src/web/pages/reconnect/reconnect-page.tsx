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
    text: 'zinc keeps your shop’s catalogue up to date from Zoho. Someone who runs it asks you, as the owner of the Zoho account, to give it read access.',
    steps: 'Continue to Zoho, sign in there, review the requested access and accept. zinc never sees your password.',
    go: 'Continue to Zoho',
    done: 'zinc is connected',
    doneText: 'Thank you. You can close this window.',
    failed: 'Zoho did not complete the connection',
    again: 'Open the link again to retry, or ask for a new one.',
    refused: 'Access was denied at Zoho.',
    noLink: 'Open this page with the link that you received.',
  },
  {
    title: 'وصل zinc بـ Zoho',
    text: 'يُبقي zinc كتالوج متجرك محدّثًا من Zoho. يطلب منك من يديره، بصفتك مالك حساب Zoho، أن تمنحه صلاحية القراءة.',
    steps: 'تابع إلى Zoho وسجّل الدخول هناك وراجع الصلاحيات المطلوبة ثم اقبل. لا يرى zinc كلمة مرورك أبدًا.',
    go: 'تابع إلى Zoho',
    done: 'اتصل zinc',
    doneText: 'شكرًا لك. يمكنك إغلاق هذه النافذة.',
    failed: 'لم تُكمل Zoho الاتصال',
    again: 'افتح الرابط مرة أخرى للمحاولة، أو اطلب رابطًا جديدًا.',
    refused: 'رُفض الوصول في Zoho.',
    noLink: 'افتح هذه الصفحة بالرابط الذي وصلك.',
  },
)

/**
 * For the owner of the Zoho account, who has a link and no login: to Zoho's consent page, and how
 * it went.
 */
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
