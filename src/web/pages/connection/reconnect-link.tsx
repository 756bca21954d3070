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
    open: 'Link for the Zoho owner',
    title: 'A link for the owner of the Zoho account',
    text: 'Whoever opens it is led to Zoho, signs in there and accepts; zinc is then connected, and they need no login here. It works until that has happened once, for three days at most.',
    make: 'Make a link',
    replace: 'Make a new link',
    once: 'It is shown this once. A new link takes its place.',
    link: 'Link',
    mail: 'Write a mail',
    subject: 'Please connect zinc to Zoho',
    body: ({ url }: { url: string }) => `Please open this link, sign in to Zoho and accept:\n\n${url}\n`,
    pending: ({ at }: { at: string }) => `A link is out and works until ${at}.`,
    withdraw: 'Withdraw it',
    withdrawn: 'The link was withdrawn',
    close: 'Done',
  },
  {
    open: 'رابط لمالك حساب Zoho',
    title: 'رابط لمالك حساب Zoho',
    text: 'من يفتحه يُقاد إلى Zoho فيسجّل الدخول هناك ويقبل، فيتصل zinc دون أن يحتاج إلى حساب هنا. يعمل حتى يتم ذلك مرة واحدة، ولثلاثة أيام على الأكثر.',
    make: 'أنشئ رابطًا',
    replace: 'أنشئ رابطًا جديدًا',
    once: 'يُعرض هذه المرة فقط. يحلّ محله أي رابط جديد.',
    link: 'الرابط',
    mail: 'اكتب رسالة بريد',
    subject: 'يُرجى وصل zinc بـ Zoho',
    body: ({ url }) => `افتح هذا الرابط وسجّل الدخول إلى Zoho واقبل:\n\n${url}\n`,
    pending: ({ at }) => `هناك رابط يعمل حتى ${at}.`,
    withdraw: 'اسحبه',
    withdrawn: 'سُحب الرابط',
    close: 'تم',
  },
)

const LINK = `${ZOHO}/oauth/link`
const linkKey = ['zoho', 'consent-link'] as const

/** For shops where somebody else owns the Zoho account: a link that they can open without a login here. */
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
