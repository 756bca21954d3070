import { Button } from '@mantine/core'
import Download from 'lucide-react/icons/download'
import ImagesIcon from 'lucide-react/icons/images'
import RefreshCw from 'lucide-react/icons/refresh-cw'
import Trash2 from 'lucide-react/icons/trash-2'
import { downloadCsv } from '../../components/csv.ts'
import { useMessages } from '../../i18n/language.tsx'
import { type BulkResult, useBulkImages } from '../../products/bulk-images.ts'
import { bulkMessages } from '../../products/bulk-messages.ts'
import { SelectionFrame } from '../../products/selection-frame.tsx'
import { useBulkToasts } from '../../products/use-bulk-toasts.ts'
import { selectionMessages } from './selection-messages.ts'
import type { GridRow } from './use-product-blocks.ts'
import { SELECTION_MAX, type Selection } from './use-selection.ts'

/**
 * What can be done with all that is chosen, at the foot of the list for as long as something is.
 */
export function SelectionBar({ selection }: { selection: Selection }) {
  const m = useMessages(selectionMessages)
  const many = useMessages(bulkMessages)
  const { remove, restore, regenerate, refetch } = useBulkImages()
  const { started, removed } = useBulkToasts(restore)
  const rows = [...selection.rows.values()]
  const all = rows.flatMap(({ images }) => images)
  const actions = [remove, regenerate, refetch, restore]
  const busy = actions.some(({ isPending }) => isPending)
  const onRemoved = (result: BulkResult) => {
    if (result.done.length === 0) return
    removed(result)
    // Nothing of what was chosen has an image any more.
    selection.clear()
  }
  return (
    <SelectionFrame
      count={rows.length === 0 ? null : m.products({ count: rows.length })}
      actions={actions}
      note={rows.length >= SELECTION_MAX ? m.atMost : undefined}
      onClear={selection.clear}
    >
      <Button size="xs" variant="default" leftSection={<Download size={14} aria-hidden />} onClick={() => exportRows(rows)}>
        {m.export}
      </Button>
      <Button
        size="xs"
        variant="default"
        leftSection={<RefreshCw size={14} aria-hidden />}
        disabled={busy}
        loading={refetch.isPending}
        onClick={() =>
          refetch.mutate(
            rows.map(({ id }) => id),
            started(m.refetching),
          )
        }
      >
        {m.refetch}
      </Button>
      <Button
        size="xs"
        variant="default"
        leftSection={<ImagesIcon size={14} aria-hidden />}
        disabled={busy || all.length === 0}
        loading={regenerate.isPending}
        {...(all.length === 0 && { title: m.noImages })}
        onClick={() => regenerate.mutate(all, started(many.regenerating))}
      >
        {many.regenerate}
      </Button>
      <Button
        size="xs"
        variant="default"
        className="danger"
        leftSection={<Trash2 size={14} aria-hidden />}
        disabled={busy || all.length === 0}
        loading={remove.isPending}
        {...(all.length === 0 && { title: m.noImages })}
        onClick={() => remove.mutate(all, { onSuccess: onRemoved })}
      >
        {m.remove}
      </Button>
    </SelectionFrame>
  )
}

function exportRows(rows: GridRow[]): void {
  const columns = ['zoho_item_id', 'sku', 'name', 'name_en', 'name_ar', 'price', 'currency', 'stock', 'status', 'image_state'] as const
  downloadCsv('zinc-products.csv', [[...columns, 'images'], ...rows.map((row) => [...columns.map((key) => row[key]), row.images.length])])
}
