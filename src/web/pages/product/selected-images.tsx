import { Button } from '@mantine/core'
import ImagesIcon from 'lucide-react/icons/images'
import Trash2 from 'lucide-react/icons/trash-2'
import { useMessages } from '../../i18n/language.tsx'
import { type BulkResult, useBulkImages } from '../../products/bulk-images.ts'
import { bulkMessages } from '../../products/bulk-messages.ts'
import { SelectionFrame } from '../../products/selection-frame.tsx'
import { useBulkToasts } from '../../products/use-bulk-toasts.ts'
import { productMessages } from './messages.ts'

/** What can be done with several images of a product at once. */
export function SelectedImages({ ids, onClear }: { ids: string[]; onClear(): void }) {
  const m = useMessages(productMessages)
  const many = useMessages(bulkMessages)
  const { remove, restore, regenerate } = useBulkImages()
  const { started, removed } = useBulkToasts(restore)
  const actions = [remove, regenerate, restore]
  const busy = actions.some(({ isPending }) => isPending)
  const onRemoved = (result: BulkResult) => {
    if (result.done.length === 0) return
    removed(result)
    // Brought back, they are chosen no more.
    onClear()
  }
  return (
    <SelectionFrame count={ids.length === 0 ? null : m.selection({ count: ids.length })} actions={actions} onClear={onClear}>
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
    </SelectionFrame>
  )
}
