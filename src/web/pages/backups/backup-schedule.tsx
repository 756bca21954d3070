import { Button, NativeSelect, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import type { BackupScheduleBody, Backups } from '../../../schemas/backups.ts'
import { useHasRole } from '../../app/session.tsx'
import { DescriptionList } from '../../components/description-list.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Section } from '../../components/section.tsx'
import { RelativeTime } from '../../components/time.tsx'
import { toast } from '../../components/toast.tsx'
import { useUnsavedChanges } from '../../components/use-unsaved-changes.ts'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat, useShopZone } from '../../i18n/shop-zone.tsx'
import { CronField } from '../../schedules/cron-field.tsx'
import classes from './backups-page.module.css'
import { backupsMessages } from './messages.ts'
import { useBackupEdit } from './use-backups.ts'

const AFTER_EACH = 'true'
const KEPT = ['daily', 'weekly', 'monthly'] as const

interface Draft {
  schedule: string
  target: string
  daily: string
  weekly: string
  monthly: string
  /** '' off, 'true' after every backup, or a cron line. */
  rehearsal: string
  warn: string
}

const draftOf = ({ schedule, target, keep, rehearsal, warn_after_hours }: Backups): Draft => ({
  schedule: schedule ?? '',
  target: target ?? '',
  daily: String(keep?.daily ?? ''),
  weekly: String(keep?.weekly ?? ''),
  monthly: String(keep?.monthly ?? ''),
  rehearsal: rehearsal === false ? '' : String(rehearsal),
  warn: String(warn_after_hours ?? ''),
})

function bodyOf({ schedule, target, rehearsal, warn, ...keep }: Draft): BackupScheduleBody {
  return {
    schedule: schedule.trim() || null,
    target: target.trim() || null,
    keep: KEPT.every((it) => keep[it] === '')
      ? null
      : { daily: Number(keep.daily), weekly: Number(keep.weekly), monthly: Number(keep.monthly) },
    rehearsal: rehearsal === AFTER_EACH ? true : rehearsal === '' ? false : rehearsal,
    warn_after_hours: warn === '' ? null : Number(warn),
  }
}

/** When and where backups are made; only an admin may change it. */
export function BackupSchedule({ backups }: { backups: Backups }) {
  const m = useMessages(backupsMessages)
  const format = useFormat()
  const zone = useShopZone()
  const mayChange = useHasRole('admin')
  const saved = draftOf(backups)
  const [draft, setDraft] = useState<Draft | null>(null)
  const shown = draft ?? saved
  const changed = draft !== null && JSON.stringify(draft) !== JSON.stringify(saved)
  useUnsavedChanges(changed)
  const { change } = useBackupEdit()
  const set = (key: keyof Draft) => (event: { currentTarget: { value: string } }) =>
    setDraft({ ...shown, [key]: event.currentTarget.value })
  const number = (key: keyof Draft, label: string, description?: string) => (
    <TextInput
      label={label}
      description={description}
      type="number"
      min={key === 'warn' ? 1 : 0}
      disabled={!mayChange}
      value={shown[key]}
      onChange={set(key)}
    />
  )
  const submit = (event: FormEvent) => {
    event.preventDefault()
    change.mutate(bodyOf(shown), {
      onSuccess: () => {
        setDraft(null)
        toast(m.saved)
      },
    })
  }
  const { rehearsal } = shown
  return (
    <Section title={m.plan} description={m.planHint}>
      <form className={classes.form} onSubmit={submit}>
        <DescriptionList
          items={[
            [m.newest, backups.newest_good_at === null ? m.never : <RelativeTime key="newest" at={backups.newest_good_at} />],
            [m.next, backups.next_at === null ? m.notScheduled : format.dateTime(backups.next_at)],
          ]}
        />
        <div className={classes.fields}>
          <TextInput
            label={m.target}
            description={m.targetHint}
            dir="ltr"
            spellCheck={false}
            autoComplete="off"
            disabled={!mayChange}
            value={shown.target}
            onChange={set('target')}
          />
          <CronField
            label={m.schedule}
            description={m.scheduleHint({ zone })}
            disabled={!mayChange}
            value={shown.schedule || null}
            presets={{ '30 3 * * *': m.daily3, '30 3,15 * * *': m.twice, '30 3 * * 5': m.weekly3 }}
            onChange={(schedule) => setDraft({ ...shown, schedule: schedule ?? '' })}
          />
          <NativeSelect
            label={m.rehearsal}
            description={m.rehearsalHint}
            disabled={!mayChange}
            value={rehearsal}
            onChange={set('rehearsal')}
            data={[
              { value: '', label: m.off },
              { value: AFTER_EACH, label: m.afterEach },
              // A time that was set elsewhere stays choosable.
              ...(rehearsal === '' || rehearsal === AFTER_EACH ? [] : [{ value: rehearsal, label: rehearsal }]),
            ]}
          />
          {number('warn', m.warn, m.warnHint)}
        </div>
        <fieldset className={classes.keep}>
          <legend>{m.keep}</legend>
          <p className={classes.quiet}>{m.keepHint}</p>
          <div className={classes.fields}>
            {number('daily', m.daily)}
            {number('weekly', m.weekly)}
            {number('monthly', m.monthly)}
          </div>
        </fieldset>
        {change.error && <ErrorCard error={change.error} />}
        {mayChange && (
          <div className={classes.buttons}>
            {changed ? (
              <Button variant="default" onClick={() => setDraft(null)}>
                {m.discard}
              </Button>
            ) : (
              <span className={classes.quiet}>{m.noChanges}</span>
            )}
            <Button type="submit" disabled={!changed} loading={change.isPending}>
              {m.save}
            </Button>
          </div>
        )}
      </form>
    </Section>
  )
}
