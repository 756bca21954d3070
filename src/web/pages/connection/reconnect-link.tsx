import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import Mail from 'lucide-react/icons/mail'
import { useState } from 'react'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { CodeLine } from '../../components/code-line.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { defineMessages } from '../../i18n/messages.ts'
import { useFormat } from '../../i18n/shop-zone.tsx'
import classes from './webhook.module.css'

const messages = defineMessages(
  {
    open: 'Send link to Zoho account owner',
    title: 'Link for the Zoho account owner',
    text: 'The person who opens the link signs in to Zoho and grants access there. They do not need an account in zinc. The link works once and expires after three days.',
    make: 'Create link',
    replace: 'Create new link',
    once: 'Copy it now; it will not be shown again. Creating a new link replaces it.',
    link: 'Link',
    mail: 'Write email',
    subject: 'Please connect zinc to Zoho',
    body: ({ url }: { url: string }) => `Please open this link, sign in to Zoho and accept:\n\n${url}\n`,
    pending: ({ at }: { at: string }) => `A link has been created and is valid until ${at}.`,
    withdraw: 'Withdraw link',
    withdrawn: 'Link withdrawn',
    close: 'Done',
  },
  {
    open: 'إرسال رابط إلى مالك حساب Zoho',
    title: 'رابط لمالك حساب Zoho',
    text: 'من يفتح الرابط يسجّل الدخول إلى Zoho ويقبل هناك، فيتصل zinc. لا يحتاج إلى حساب هنا. يعمل الرابط مرة واحدة وتنتهي صلاحيته بعد ثلاثة أيام.',
    make: 'إنشاء رابط',
    replace: 'إنشاء رابط جديد',
    once: 'انسخه الآن؛ لن يُعرض ثانية. إنشاء رابط جديد يحل محله.',
    link: 'الرابط',
    mail: 'اكتب رسالة بريد',
    subject: 'يُرجى وصل zinc بـ Zoho',
    body: ({ url }) => `افتح هذا الرابط وسجّل الدخول إلى Zoho واقبل:\n\n${url}\n`,
    pending: ({ at }) => `أُنشئ رابط صالح حتى ${at}.`,
    withdraw: 'إلغاء الرابط',
    withdrawn: 'أُلغي الرابط',
    close: 'تم',
  },
)

const LINK = `${ZOHO}/oauth/link`
const linkKey = ['zoho', 'consent-link'] as const

/**
 * For shops where somebody else owns the Zoho account: a link that they can open without a login
 * here.
 */
export function ReconnectLink() {
  const m = useMessages(messages)
  const [opened, setOpened] = useState(false)
  return (
    <>
      <Button variant="subtle" leftSection={<Mail size={15} aria-hidden />} onClick={() => setOpened(true)}>
        {m.open}
      </Button>
      {opened && <LinkDialog onClose={() => setOpened(false)} />}
    </>
  )
}

function LinkDialog({ onClose }: { onClose(): void }) {
  const m = useMessages(messages)
  const format = useFormat()
  const client = useQueryClient()
  const pending = useQuery({
    queryKey: linkKey,
    queryFn: ({ signal }) => request<{ data: { expires_at: string | null } }>(LINK, { signal }).then(({ data }) => data.expires_at),
  })
  const onSettled = () => client.invalidateQueries({ queryKey: linkKey })
  const make = useMutation({
    gcTime: 0,
    mutationFn: () => request<{ data: { url: string } }>(LINK, { method: 'POST' }).then(({ data }) => data.url),
    onSettled,
  })
  const withdraw = useMutation({
    mutationFn: () => request<unknown>(LINK, { method: 'DELETE' }),
    onSuccess: () => {
      make.reset()
      toast(m.withdrawn)
    },
    onSettled,
  })
  const url = make.data
  return (
    <Dialog opened onClose={onClose} title={m.title} size="lg" closeOnClickOutside={url === undefined}>
      <div className={classes.part}>
        <p className={classes.muted}>{m.text}</p>
        {url !== undefined && (
          <div className={classes.shown}>
            <p>{m.once}</p>
            <CodeLine value={url} what={m.link} />
          </div>
        )}
        {pending.data && <p className={classes.muted}>{m.pending({ at: format.dateTime(pending.data) })}</p>}
        {(make.error ?? withdraw.error) && <ErrorCard error={make.error ?? withdraw.error} />}
        <div className={classes.row}>
          <Button variant={url === undefined ? 'filled' : 'default'} loading={make.isPending} onClick={() => make.mutate()}>
            {pending.data ? m.replace : m.make}
          </Button>
          {url !== undefined && (
            <Button
              component="a"
              href={`mailto:?subject=${encodeURIComponent(m.subject)}&body=${encodeURIComponent(m.body({ url }))}`}
              variant="default"
              leftSection={<Mail size={15} aria-hidden />}
            >
              {m.mail}
            </Button>
          )}
          {pending.data && (
            <Button variant="subtle" className="danger" loading={withdraw.isPending} onClick={() => withdraw.mutate()}>
              {m.withdraw}
            </Button>
          )}
          {url !== undefined && <Button onClick={onClose}>{m.close}</Button>}
        </div>
      </div>
    </Dialog>
  )
}
