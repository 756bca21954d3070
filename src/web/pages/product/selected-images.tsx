import { Button } from '@mantine/core'
import ImagesIcon from 'lucide-react/icons/images'
import Trash2 from 'lucide-react/icons/trash-2'
import { useMessages } from '../../i18n/language.tsx'
import { type ManyResult, useManyPictures } from '../../products/bulk-images.ts'
import { manyMessages } from '../../products/bulk-messages.ts'
import { ChosenFrame } from '../../products/selection-frame.tsx'
import { useManyToasts } from '../../products/use-bulk-toasts.ts'
import { productMessages } from './messages.ts'

/** What can be done with several pictures of a product at once. */
export function ChosenPictures({ ids, onClear }: { ids: string[]; onClear(): void }) {
  const m = useMessages(productMessages)
  const many = useMessages(manyMessages)
  const { remove, restore, regenerate } = useManyPictures()
  const { started, removed } = useManyToasts(restore)
  const actions = [remove, regenerate, restore]
  const busy = actions.some(({ isPending }) => isPending)
  const onRemoved = (result: ManyResult) => {
    if (result.done.length === 0) return
    removed(result)
    // Brought back, they are chosen no more.
    onClear()
  }
  return (
    <ChosenFrame count={ids.length === 0 ? null : m.chosen({ count: ids.length })} actions={actions} onClear={onClear}>
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
        color="red.9"
        leftSection={<Trash2 size={14} aria-hidden />}
        disabled={busy}
        loading={remove.isPending}
        onClick={() => remove.mutate(ids, { onSuccess: onRemoved })}
      >
        {m.removeChosen}
      </Button>
    </ChosenFrame>
  )
}
