import { Button, Checkbox, NativeSelect, Radio, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useLocation } from 'wouter'
import type { PullModule } from '../../../schemas/pulls.ts'
import { HOME } from '../../app/paths.ts'
import { Dialog } from '../../components/dialog.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { commonMessages } from '../../components/messages.ts'
import { useMessages } from '../../i18n/language.tsx'
import { pullsMessages } from '../../pulls/messages.ts'
import { modulesOf, useModuleName } from '../../pulls/pull-labels.tsx'
import { type PullOrder, usePullEdit } from '../../pulls/use-pulls.ts'
import { PullEstimate } from './pull-estimate.tsx'
import classes from './start-pull.module.css'

type What = 'changed' | 'since' | 'full'

/**
 * Which modules, how much of them, and whether with details; then the run's own page shows it live.
 */
export function StartPull({ opened, onClose }: { opened: boolean; onClose(): void }) {
  const m = useMessages(pullsMessages)
  return (
    <Dialog opened={opened} onClose={onClose} title={m.startTitle} size="lg">
      {opened && <Form onClose={onClose} />}
    </Dialog>
  )
}

function Form({ onClose }: { onClose(): void }) {
  const m = useMessages(pullsMessages)
  const common = useMessages(commonMessages)
  const moduleName = useModuleName()
  const [, navigate] = useLocation()
  const { plan, start } = usePullEdit()
  const [app, setApp] = useState<'books' | 'invoice'>('books')
  const [selection, setChosen] = useState<ReadonlySet<PullModule>>(new Set(modulesOf('books')))
  const [what, setWhat] = useState<What>('changed')
  const [since, setSince] = useState('')
  const [lineItems, setLineItems] = useState(true)
  const offered = modulesOf(app)
  const modules = offered.filter((module) => selection.has(module))
  const sinceAt = new Date(since)
  const ready = modules.length > 0 && (what !== 'since' || !Number.isNaN(sinceAt.getTime()))
  const choose = (module: PullModule, on: boolean) => {
    const next = new Set(selection)
    if (on) next.add(module)
    else next.delete(module)
    setChosen(next)
  }
  const chooseAll = (all: readonly PullModule[]) => {
    setChosen(new Set(all))
    plan.reset()
  }
  const order = (): PullOrder => ({
    app,
    modules: modules.length === offered.length ? 'all' : modules,
    full: what === 'full',
    line_items: lineItems,
    ...(what === 'since' && { since: sinceAt.toISOString() }),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    start.mutate(order(), { onSuccess: (runId) => navigate(`${HOME}/runs/${runId}`) })
  }
  return (
    // An estimate is of one choice; another choice has none yet.
    <form className={classes.form} onSubmit={submit} onChange={() => plan.reset()}>
      <NativeSelect
        label={m.app}
        value={app}
        onChange={(event) => setApp(event.currentTarget.value === 'invoice' ? 'invoice' : 'books')}
        data={[
          { value: 'books', label: 'Zoho Books' },
          { value: 'invoice', label: 'Zoho Invoice' },
        ]}
      />
      <fieldset className={classes.modules}>
        <legend>
          {m.modules} <span className={classes.count}>{m.selection({ count: modules.length })}</span>
        </legend>
        <div className={classes.all}>
          <Button size="compact-xs" variant="subtle" onClick={() => chooseAll(modulesOf('books'))}>
            {m.allModules}
          </Button>
          <Button size="compact-xs" variant="subtle" onClick={() => chooseAll([])}>
            {m.noModules}
          </Button>
        </div>
        <div className={classes.choices}>
          {offered.map((module) => (
            <Checkbox
              key={module}
              label={moduleName(module)}
              checked={selection.has(module)}
              onChange={(event) => choose(module, event.currentTarget.checked)}
            />
          ))}
        </div>
      </fieldset>
      <Radio.Group label={m.what} value={what} onChange={(value) => setWhat(value as What)}>
        <div className={classes.what}>
          <Radio value="changed" label={m.changed} description={m.changedHint} />
          <Radio value="since" label={m.since} />
          {what === 'since' && (
            <TextInput
              className={classes.since}
              type="datetime-local"
              aria-label={m.sinceAt}
              required
              value={since}
              onChange={(event) => setSince(event.currentTarget.value)}
            />
          )}
          <Radio value="full" label={m.full} description={m.fullHint} />
        </div>
      </Radio.Group>
      <Checkbox
        label={m.lineItems}
        description={m.lineItemsHint}
        checked={lineItems}
        onChange={(event) => setLineItems(event.currentTarget.checked)}
      />
      {plan.data && <PullEstimate plan={plan.data} />}
      {plan.error && <ErrorCard error={plan.error} />}
      {start.error && <ErrorCard error={start.error} />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose}>
          {common.cancel}
        </Button>
        <Button variant="default" loading={plan.isPending} disabled={!ready} onClick={() => plan.mutate(order())}>
          {plan.error ? common.retry : m.planMake}
        </Button>
        <Button type="submit" loading={start.isPending} disabled={!ready}>
          {m.startNow}
        </Button>
      </div>
    </form>
  )
}
