import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core'
import TriangleAlert from 'lucide-react/icons/triangle-alert'
import { type FormEvent, useState } from 'react'
import { CodeLine } from '../../components/code-line.tsx'
import { CopyButton } from '../../components/copy-button.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { commonMessages } from '../../components/messages.ts'
import { useMessages } from '../../i18n/language.tsx'
import { storesMessages } from '../../stores/messages.ts'
import { type MadeToken, useStoreEdit } from '../../stores/use-stores.ts'
import classes from './new-token.module.css'

const VALID_DAYS = [30, 90, 365, 730]
const DEFAULT_DAYS = 365

/** Makes a token and shows it once, with the command that uses it. Closing forgets it. */
export function NewToken({ storeId, opened, onClose }: { storeId: string; opened: boolean; onClose(): void }) {
  const m = useMessages(storesMessages)
  const [made, setMade] = useState<MadeToken | null>(null)
  const close = () => {
    setMade(null)
    onClose()
  }
  return (
    <Dialog
      opened={opened}
      onClose={close}
      title={made ? m.tokenMade : m.newToken}
      size="lg"
      // A stray click beside the dialog must not lose what is shown only once.
      closeOnClickOutside={made === null}
    >
      {opened &&
        (made ? (
          <Shown storeId={storeId} token={made.token} onClose={close} />
        ) : (
          <Form storeId={storeId} onMade={setMade} onClose={close} />
        ))}
    </Dialog>
  )
}

function Form({ storeId, onMade, onClose }: { storeId: string; onMade(token: MadeToken): void; onClose(): void }) {
  const m = useMessages(storesMessages)
  const common = useMessages(commonMessages)
  const { makeToken } = useStoreEdit()
  const [name, setName] = useState(m.tokenDefault)
  const [days, setDays] = useState(String(DEFAULT_DAYS))
  const submit = (event: FormEvent) => {
    event.preventDefault()
    makeToken.mutate({ id: storeId, name: name.trim(), expires_in_days: days === '' ? null : Number(days) }, { onSuccess: onMade })
  }
  return (
    <form className={classes.form} onSubmit={submit}>
      <TextInput
        label={m.tokenName}
        description={m.tokenNameHint}
        required
        withAsterisk={false}
        dir="auto"
        maxLength={250}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        data-autofocus
      />
      <NativeSelect
        label={m.expiresIn}
        value={days}
        onChange={(event) => setDays(event.currentTarget.value)}
        data={[...VALID_DAYS.map((value) => ({ value: String(value), label: m.days({ days: value }) })), { value: '', label: m.noEnd }]}
      />
      {makeToken.error && <ErrorCard error={makeToken.error} />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose}>
          {common.cancel}
        </Button>
        <Button type="submit" loading={makeToken.isPending} disabled={name.trim() === ''}>
          {m.makeToken}
        </Button>
      </div>
    </form>
  )
}

function Shown({ storeId, token, onClose }: { storeId: string; token: string; onClose(): void }) {
  const m = useMessages(storesMessages)
  const [watch, setWatch] = useState(false)
  // The token stays out of the command: every account of a machine can read the arguments of its
  // processes.
  const command = `curl -fsSO ${location.origin}/downloads/zinc-edge.js && node zinc-edge.js pull --server ${location.origin} --store ${storeId} --token-file zinc-edge.token --dir ./photos${watch ? ' --watch 60' : ''}`
  return (
    <div className={classes.form}>
      <p className={classes.once} role="alert">
        <TriangleAlert size={16} aria-hidden />
        {m.tokenOnce}
      </p>
      <section className={classes.part} aria-label={m.command}>
        <h3 className={classes.label}>{m.command}</h3>
        <p className={classes.hint}>{m.commandHint}</p>
        {/* A scroll area must be reachable by keys. */}
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: see above */}
        <pre className={classes.code} dir="ltr" tabIndex={0} data-autofocus>
          {command}
        </pre>
        <div className={classes.row}>
          <Checkbox label={m.watch} checked={watch} onChange={(event) => setWatch(event.currentTarget.checked)} />
          <CopyButton value={command} what={m.command} label={m.copyCommand} />
        </div>
      </section>
      <section className={classes.part} aria-label={m.token}>
        <h3 className={classes.label}>{m.token}</h3>
        <CodeLine value={token} what={m.token} />
      </section>
      <div className={classes.buttons}>
        <Button onClick={onClose}>{m.done}</Button>
      </div>
    </div>
  )
}
