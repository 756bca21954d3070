import { Button, Checkbox, Menu, NumberInput } from '@mantine/core'
import ChevronDown from 'lucide-react/icons/chevron-down'
import ImagesIcon from 'lucide-react/icons/images'
import { type FormEvent, useState } from 'react'
import { VARIANT_NAMES, VARIANTS, type VariantName } from '../../../facts/variants.ts'
import type { VariantSettings } from '../../../schemas/media.ts'
import { useHasRole } from '../../app/session.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { commonMessages } from '../../components/messages.ts'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { toast } from '../../components/toast.tsx'
import { useUnsavedChanges } from '../../components/use-unsaved-changes.ts'
import { useLanguage, useMessages } from '../../i18n/language.tsx'
import classes from './media-page.module.css'
import { mediaMessages } from './messages.ts'
import { type Regenerate, useMediaEdit, useVariants, type VariantChange } from './use-media.ts'

/** The settings of the variants, and the run that makes them again. */
export function VariantsSection({ onStarted }: { onStarted(runId: string): void }) {
  const m = useMessages(mediaMessages)
  const { language } = useLanguage()
  const query = useVariants()
  // Here and not in the form, which is mounted again after saving and would lose its message.
  const { regenerate, change } = useMediaEdit()
  const mayEdit = useHasRole('operator')
  const make = (what: Regenerate) => regenerate.mutate(what, { onSuccess: onStarted })
  return (
    <Section
      title={m.sizes}
      description={m.sizesHint}
      actions={
        mayEdit && (
          <Menu position="bottom-end" withinPortal>
            <Menu.Target>
              <Button
                variant="default"
                size="xs"
                leftSection={<ImagesIcon size={14} aria-hidden />}
                rightSection={<ChevronDown size={14} aria-hidden />}
                loading={regenerate.isPending}
              >
                {m.make}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Label>{m.makeHint}</Menu.Label>
              <Menu.Item onClick={() => make({ which: 'missing' })}>{m.makeMissing}</Menu.Item>
              {VARIANT_NAMES.map((size) => (
                <Menu.Item key={size} onClick={() => make({ which: 'size', size })}>
                  {m.makeOne({ size: VARIANTS[size].label[language] })}
                </Menu.Item>
              ))}
              <Menu.Item onClick={() => make({ which: 'all' })}>{m.makeAll}</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )
      }
    >
      {regenerate.error && <ErrorCard error={regenerate.error} />}
      <QueryBoundary query={query} skeleton={<BlockSkeleton height={180} />}>
        {(settings) => <VariantConfig key={settings.recipe} settings={settings} mayEdit={mayEdit} change={change} />}
      </QueryBoundary>
    </Section>
  )
}

interface VariantConfigProps {
  settings: VariantSettings
  mayEdit: boolean
  change: ReturnType<typeof useMediaEdit>['change']
}

function VariantConfig({ settings, mayEdit, change }: VariantConfigProps) {
  const m = useMessages(mediaMessages)
  const { language } = useLanguage()
  const common = useMessages(commonMessages)
  const before: VariantChange = { sizes: settings.sizes, quality: settings.quality, formats: settings.formats }
  const [value, setValue] = useState(before)
  const changed = JSON.stringify(value) !== JSON.stringify(before)
  useUnsavedChanges(changed)
  const avif = value.formats.includes('avif')
  const save = (event: FormEvent) => {
    event.preventDefault()
    change.mutate(value, { onSuccess: () => toast(m.saved) })
  }
  const size = (name: VariantName) => (
    <NumberInput
      key={name}
      label={m.longestSide({ size: VARIANTS[name].label[language] })}
      suffix={` ${m.pixels}`}
      min={VARIANTS[name].min}
      max={VARIANTS[name].max}
      allowDecimal={false}
      clampBehavior="blur"
      disabled={!mayEdit}
      value={value.sizes[name]}
      onChange={(px) => typeof px === 'number' && setValue({ ...value, sizes: { ...value.sizes, [name]: px } })}
    />
  )
  const quality = (name: 'webp' | 'jpeg' | 'avif', label: string) => (
    <NumberInput
      label={label}
      min={1}
      max={100}
      allowDecimal={false}
      clampBehavior="blur"
      disabled={!mayEdit || (name === 'avif' && !avif)}
      value={value.quality[name]}
      onChange={(share) => typeof share === 'number' && setValue({ ...value, quality: { ...value.quality, [name]: share } })}
    />
  )
  return (
    <form className={classes.stack} onSubmit={save}>
      <div className={classes.fields}>
        {VARIANT_NAMES.map(size)}
        {quality('webp', m.qualityWebp)}
        {quality('jpeg', m.qualityJpeg)}
        {quality('avif', m.qualityAvif)}
      </div>
      <Checkbox
        label={m.avif}
        description={m.avifHint}
        disabled={!mayEdit}
        checked={avif}
        onChange={(event) => setValue({ ...value, formats: event.currentTarget.checked ? ['webp', 'jpeg', 'avif'] : ['webp', 'jpeg'] })}
      />
      {change.error && <ErrorCard error={change.error} />}
      <div className={classes.foot}>
        {mayEdit && (
          <Button type="submit" loading={change.isPending} disabled={!changed}>
            {common.save}
          </Button>
        )}
        <span className={classes.muted}>
          {m.recipe} <Ltr mono>{settings.recipe}</Ltr>
        </span>
      </div>
    </form>
  )
}
