import { Button, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useLocation } from 'wouter'
import { Dialog } from '../../components/dialog.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { commonMessages } from '../../components/messages.ts'
import { useMessages } from '../../i18n/language.tsx'
import { storesMessages } from '../../stores/messages.ts'
import { AssortmentFields, bodyOf, EVERYTHING } from '../../stores/store-fields.tsx'
import { toastWarnings, useStoreEdit } from '../../stores/use-stores.ts'
import classes from './create-store.module.css'

/** A new store; afterwards its page opens with the dialog for its first token. */
export function CreateStore({ opened, onClose }: { opened: boolean; onClose(): void }) {
  const m = useMessages(storesMessages)
  return (
    <Dialog opened={opened} onClose={onClose} title={m.createTitle} size="lg">
      {opened && <Form onClose={onClose} />}
    </Dialog>
  )
}

function Form({ onClose }: { onClose(): void }) {
  const m = useMessages(storesMessages)
  const common = useMessages(commonMessages)
  const [, navigate] = useLocation()
  const { create } = useStoreEdit()
  const [code, setCode] = useState('')
  const [name, setName] = useState('')
  const [receives, setReceives] = useState(EVERYTHING)
  const { assortment, ...rest } = bodyOf(receives)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (assortment === undefined) return
    create.mutate(
      { code: code.trim(), name: name.trim(), ...rest, assortment },
      {
        onSuccess: (saved) => {
          toastWarnings(saved, m)
          navigate(`/stores/${saved.data.id}?token=new`)
        },
      },
    )
  }
  return (
    <form className={classes.form} onSubmit={submit}>
      <div className={classes.names}>
        <TextInput
          label={m.code}
          description={m.codeHint}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          required
          dir="ltr"
          maxLength={100}
          spellCheck={false}
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
          data-autofocus
        />
        <TextInput
          label={m.name}
          required
          dir="auto"
          maxLength={250}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
      </div>
      <AssortmentFields value={receives} onChange={setReceives} />
      {assortment === undefined && <p className={classes.hint}>{m.selectionEmpty}</p>}
      {create.error && <ErrorCard error={create.error} />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose}>
          {common.cancel}
        </Button>
        <Button type="submit" loading={create.isPending} disabled={!code.trim() || !name.trim() || assortment === undefined}>
          {m.make}
        </Button>
      </div>
    </form>
  )
}
