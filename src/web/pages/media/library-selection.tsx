import { Button, Radio, TextInput } from '@mantine/core'
import ImagesIcon from 'lucide-react/icons/images'
import TextCursorInput from 'lucide-react/icons/text-cursor-input'
import Trash2 from 'lucide-react/icons/trash-2'
import Undo2 from 'lucide-react/icons/undo-2'
import { type FormEvent, useState } from 'react'
import type { MediaImage } from '../../../schemas/media.ts'
import { Dialog } from '../../components/dialog.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { commonMessages } from '../../components/messages.ts'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { type BulkAltTexts, type BulkResult, useBulkImages } from '../../products/bulk-images.ts'
import { bulkMessages } from '../../products/bulk-messages.ts'
import { SelectionFrame } from '../../products/selection-frame.tsx'
import { useBulkToasts } from '../../products/use-bulk-toasts.ts'
import classes from './library.module.css'
import { mediaMessages } from './messages.ts'

interface LibrarySelectionProps {
  images: MediaImage[]
  /** The chosen ones are deleted: they can only be brought back. */
  unused: boolean
  onClear(): void
}

/** What can be done with the chosen images. */
export function LibrarySelection({ images, unused, onClear }: LibrarySelectionProps) {
  const m = useMessages(mediaMessages)
  const many = useMessages(bulkMessages)
  const { remove, restore, regenerate, describe } = useBulkImages()
  const { started, removed } = useBulkToasts(restore)
  const [describing, setDescribing] = useState(false)
  const ids = images.map(({ id }) => id)
  const actions = [remove, regenerate, describe, restore]
  const busy = actions.some(({ isPending }) => isPending)
  const done = (words: (count: { count: number }) => string) => (result: BulkResult) => {
    if (result.done.length === 0) return
    toast(words({ count: result.done.length }))
    onClear()
  }
  return (
    <>
      <SelectionFrame count={ids.length === 0 ? null : m.chosen({ count: ids.length })} actions={actions} onClear={onClear}>
        {unused ? (
          <Button
            size="xs"
            variant="default"
            leftSection={<Undo2 size={14} aria-hidden />}
            disabled={busy}
            loading={restore.isPending}
            onClick={() => restore.mutate(ids, { onSuccess: done(many.restored) })}
          >
            {m.restore}
          </Button>
        ) : (
          <>
            <Button
              size="xs"
              variant="default"
              leftSection={<TextCursorInput size={14} aria-hidden />}
              disabled={busy}
              loading={describe.isPending}
              onClick={() => setDescribing(true)}
            >
              {m.editAlt}
            </Button>
            <Button
              size="xs"
              variant="default"
              leftSection={<ImagesIcon size={14} aria-hidden />}
              disabled={busy}
              loading={regenerate.isPending}
              onClick={() => regenerate.mutate(ids, started(many.regenerating))}
            >
              {many.regenerate}
            </Button>
            <Button
              size="xs"
              variant="default"
              className="danger"
              leftSection={<Trash2 size={14} aria-hidden />}
              disabled={busy}
              loading={remove.isPending}
              onClick={() =>
                remove.mutate(ids, {
                  onSuccess: (result) => {
                    if (result.done.length === 0) return
                    removed(result)
                    onClear()
                  },
                })
              }
            >
              {m.remove}
            </Button>
          </>
        )}
      </SelectionFrame>
      <Dialog opened={describing} onClose={() => setDescribing(false)} title={m.editAlt}>
        {describing && (
          <AltForm
            count={ids.length}
            pending={describe.isPending}
            error={describe.error}
            onSave={(texts) =>
              describe.mutate(
                { ids, texts },
                {
                  onSuccess: (result) => {
                    setDescribing(false)
                    done(m.described)(result)
                  },
                },
              )
            }
          />
        )}
      </Dialog>
    </>
  )
}

interface AltFormProps {
  count: number
  pending: boolean
  error: Error | null
  onSave(texts: BulkAltTexts): void
}

function AltForm({ count, pending, error, onSave }: AltFormProps) {
  const m = useMessages(mediaMessages)
  const common = useMessages(commonMessages)
  const [how, setHow] = useState('names')
  const [en, setEn] = useState('')
  const [ar, setAr] = useState('')
  const save = (event: FormEvent) => {
    event.preventDefault()
    if (how === 'names') onSave({ from_product_name: true })
    // What is left empty stays as it is.
    else onSave({ ...(en.trim() !== '' && { alt_en: en.trim() }), ...(ar.trim() !== '' && { alt_ar: ar.trim() }) })
  }
  return (
    <form className={classes.form} onSubmit={save}>
      <Radio.Group label={m.altFor({ count })} value={how} onChange={setHow}>
        <div className={classes.radios}>
          <Radio value="names" label={m.altFromNames} description={m.altFromNamesHint} />
          <Radio value="same" label={m.altSame} description={m.altSameHint} />
        </div>
      </Radio.Group>
      {how === 'same' && (
        <>
          <TextInput
            label={m.altEn}
            lang="en"
            dir="ltr"
            maxLength={500}
            value={en}
            onChange={(event) => setEn(event.currentTarget.value)}
          />
          <TextInput
            label={m.altAr}
            lang="ar"
            dir="rtl"
            maxLength={500}
            value={ar}
            onChange={(event) => setAr(event.currentTarget.value)}
          />
        </>
      )}
      {error && <ErrorCard error={error} />}
      <Button type="submit" loading={pending} disabled={how === 'same' && en.trim() === '' && ar.trim() === ''} className={classes.save}>
        {common.save}
      </Button>
    </form>
  )
}
