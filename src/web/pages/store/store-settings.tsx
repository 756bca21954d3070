import { Button, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useLocation } from 'wouter'
import type { Store } from '../../../schemas/stores.ts'
import { ApiError } from '../../api/api-error.ts'
import { Confirm } from '../../components/confirm.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { commonMessages } from '../../components/messages.ts'
import { Section } from '../../components/section.tsx'
import { toast } from '../../components/toast.tsx'
import { useUnsavedChanges } from '../../components/use-unsaved-changes.ts'
import { useMessages } from '../../i18n/language.tsx'
import { storesMessages } from '../../stores/messages.ts'
import { AssortmentFields, bodyOf, toAssortmentForm } from '../../stores/store-fields.tsx'
import { toastWarnings, useStoreEdit } from '../../stores/use-stores.ts'
import classes from './store-page.module.css'

/** Name, size and assortment; and the end of the store. */
export function StoreSettings({ store }: { store: Store }) {
  const m = useMessages(storesMessages)
  const common = useMessages(commonMessages)
  const [, navigate] = useLocation()
  const { change, remove } = useStoreEdit()
  const [name, setName] = useState(store.name)
  const [receives, setReceives] = useState(() => toAssortmentForm(store))
  const [deleting, setDeleting] = useState(false)
  const { assortment, ...rest } = bodyOf(receives)
  const changed = name !== store.name || JSON.stringify(receives) !== JSON.stringify(toAssortmentForm(store))
  useUnsavedChanges(changed)
  const save = (confirmed: boolean) => {
    if (assortment === undefined) return
    // By the promise: what is saved comes back as another form, and a callback of this one would
    // not be heard.
    change.mutateAsync({ id: store.id, patch: { name: name.trim(), ...rest, assortment }, confirmed }).then(
      (saved) => toastWarnings(saved, m, m.saved),
      () => {}, // stands as a card
    )
  }
  return (
    <Section title={m.settings}>
      <form
        className={classes.form}
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          save(false)
        }}
      >
        <TextInput
          label={m.name}
          required
          withAsterisk={false}
          dir="auto"
          maxLength={250}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <AssortmentFields value={receives} onChange={setReceives} />
        {assortment === undefined && <p>{m.selectionEmpty}</p>}
        {change.error && <ErrorCard error={change.error} />}
        {change.error instanceof ApiError && change.error.code === 'mass_delete_stopped' && (
          <Button variant="default" className="danger" loading={change.isPending} onClick={() => save(true)}>
            {m.removeAnyway}
          </Button>
        )}
        <div className={classes.buttons}>
          <Button type="submit" loading={change.isPending} disabled={!changed || name.trim() === '' || assortment === undefined}>
            {common.save}
          </Button>
          <Button variant="subtle" className="danger" onClick={() => setDeleting(true)}>
            {m.delete}
          </Button>
        </div>
      </form>
      <Confirm
        opened={deleting}
        title={m.delete}
        action={m.delete}
        danger
        typed={store.code}
        pending={remove.isPending}
        error={remove.error}
        onClose={() => setDeleting(false)}
        onConfirm={() =>
          remove.mutate(store.id, {
            onSuccess: () => {
              toast(m.deletedDone)
              navigate('/stores')
            },
          })
        }
      >
        <p>{m.deleteText}</p>
      </Confirm>
    </Section>
  )
}
