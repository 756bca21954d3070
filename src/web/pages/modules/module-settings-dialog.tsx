import { Button, Checkbox, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { ModuleSelection, ZohoModule } from '../../../schemas/zoho-settings.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { Confirm } from '../../components/confirm.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { ExactTime } from '../../components/time.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useModuleName } from '../../pulls/pull-labels.tsx'
import { modulesMessages } from './messages.ts'
import classes from './module-settings.module.css'
import type { ModuleSettingsProps } from './module-settings.tsx'

/** What the module's syncs read, and from when they read again. */
export default function ModuleSettingsDialog({ module, change, onChanged, onClose }: ModuleSettingsProps & { onClose(): void }) {
  const m = useMessages(modulesMessages)
  return (
    <Dialog opened onClose={onClose} title={m.settingsTitle({ name: module.name })} size="lg">
      <div className={classes.parts}>
        {module.selection.sync_images !== null || module.offered.length > 0 ? <Selection module={module} change={change} /> : null}
        <Cursor module={module} onChanged={onChanged} />
      </div>
    </Dialog>
  )
}

function Selection({ module, change }: Pick<ModuleSettingsProps, 'module' | 'change'>) {
  const m = useMessages(modulesMessages)
  const nameOf = useModuleName()
  const [draft, setDraft] = useState<ModuleSelection>(module.selection)
  const selection = draft.modules ?? module.offered
  const toggle = (name: string, checked: boolean) => {
    const next = module.offered.filter((one) => (one === name ? checked : selection.includes(one)))
    setDraft({ ...draft, modules: next.length === module.offered.length ? null : next })
  }
  const changed = JSON.stringify(draft) !== JSON.stringify(module.selection)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    change.mutate({ selection: draft }, { onSuccess: () => toast(m.selectionSaved) })
  }
  return (
    <form className={classes.part} onSubmit={submit}>
      <h3 className={classes.title}>{m.what}</h3>
      {draft.sync_images !== null && (
        <Checkbox
          label={m.withImages}
          description={m.withImagesHint}
          checked={draft.sync_images}
          onChange={(event) => setDraft({ ...draft, sync_images: event.currentTarget.checked })}
        />
      )}
      {module.offered.length > 0 && (
        <Checkbox.Group label={m.whichModules} value={selection} error={selection.length === 0 ? m.atLeastOne : undefined}>
          <div className={classes.modules}>
            {module.offered.map((name) => (
              <Checkbox key={name} value={name} label={nameOf(name)} onChange={(event) => toggle(name, event.currentTarget.checked)} />
            ))}
          </div>
        </Checkbox.Group>
      )}
      {draft.line_items !== null && (
        <Checkbox
          label={m.lineItems}
          description={m.lineItemsHint}
          checked={draft.line_items}
          onChange={(event) => setDraft({ ...draft, line_items: event.currentTarget.checked })}
        />
      )}
      {change.error && <ErrorCard error={change.error} />}
      <div className={classes.buttons}>
        <Button type="submit" size="xs" disabled={!changed || selection.length === 0} loading={change.isPending}>
          {m.saveSelection}
        </Button>
      </div>
    </form>
  )
}

function Cursor({ module, onChanged }: Pick<ModuleSettingsProps, 'module' | 'onChanged'>) {
  const m = useMessages(modulesMessages)
  const [back, setBack] = useState('')
  const [asking, setAsking] = useState(false)
  const move = useMutation({
    mutationFn: (up_to: string | null) =>
      request<{ data: ZohoModule }>(`${ZOHO}/modules/${module.slug}/cursor`, { method: 'PUT', body: { up_to } }).then(({ data }) => data),
    onSuccess: (moved) => {
      onChanged(moved)
      setAsking(false)
      setBack('')
      toast(m.moved)
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    // The field speaks in the time of this machine.
    move.mutate(new Date(back).toISOString())
  }
  return (
    <section className={classes.part} aria-label={m.cursor}>
      <h3 className={classes.title}>{m.cursor}</h3>
      <p className={classes.hint}>{m.cursorHint}</p>
      <p className={classes.at}>
        {m.cursorAt}: <strong>{module.cursor === null ? m.fromBeginning : <ExactTime at={module.cursor} />}</strong>
      </p>
      {module.cursor !== null && (
        <form className={classes.row} onSubmit={submit}>
          <TextInput
            type="datetime-local"
            size="xs"
            label={m.moveBack}
            dir="ltr"
            value={back}
            onChange={(event) => setBack(event.currentTarget.value)}
          />
          <Button type="submit" size="xs" variant="default" disabled={back === ''} loading={move.isPending && !asking}>
            {m.moveBackDo}
          </Button>
          <Button size="xs" variant="subtle" className="danger" onClick={() => setAsking(true)}>
            {m.beginning}
          </Button>
        </form>
      )}
      {move.error && !asking && <ErrorCard error={move.error} />}
      <Confirm
        opened={asking}
        title={m.beginningTitle}
        action={m.beginning}
        danger
        pending={move.isPending}
        error={move.error}
        onConfirm={() => move.mutate(null)}
        onClose={() => setAsking(false)}
      >
        <p>{m.beginningText}</p>
      </Confirm>
    </section>
  )
}
