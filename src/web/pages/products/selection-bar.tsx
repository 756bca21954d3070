import { Button } from '@mantine/core'
import Download from 'lucide-react/icons/download'
import ImagesIcon from 'lucide-react/icons/images'
import RefreshCw from 'lucide-react/icons/refresh-cw'
import Trash2 from 'lucide-react/icons/trash-2'
import { downloadCsv } from '../../components/csv.ts'
import { useMessages } from '../../i18n/language.tsx'
import { type ManyResult, useManyPictures } from '../../products/bulk-images.ts'
import { manyMessages } from '../../products/bulk-messages.ts'
import { ChosenFrame } from '../../products/selection-frame.tsx'
import { useManyToasts } from '../../products/use-bulk-toasts.ts'
import { chosenMessages } from './selection-messages.ts'
import type { GridRow } from './use-product-blocks.ts'
import { CHOSEN_MAX, type Chosen } from './use-selection.ts'

/** What can be done with all that is chosen, at the foot of the list for as long as something is. */
export function ChosenBar({ chosen }: { chosen: Chosen }) {
  const m = useMessages(chosenMessages)
  const many = useMessages(manyMessages)
  const { remove, restore, regenerate, refetch } = useManyPictures()
  const { started, removed } = useManyToasts(restore)
  const rows = [...chosen.rows.values()]
  const pictures = rows.flatMap(({ images }) => images)
  const actions = [remove, regenerate, refetch, restore]
  const busy = actions.some(({ isPending }) => isPending)
  const onRemoved = (result: ManyResult) => {
    if (result.done.length === 0) return
    removed(result)
    // Nothing of what was chosen has a picture any more.
    chosen.clear()
  }
  return (
    <ChosenFrame
      count={rows.length === 0 ? null : m.products({ count: rows.length })}
      actions={actions}
      note={rows.length >= CHOSEN_MAX ? m.atMost : undefined}
      onClear={chosen.clear}
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
        disabled={busy || pictures.length === 0}
        loading={regenerate.isPending}
        {...(pictures.length === 0 && { title: m.noPictures })}
        onClick={() => regenerate.mutate(pictures, started(many.regenerating))}
      >
        {many.regenerate}
      </Button>
      <Button
        size="xs"
        color="red.9"
        leftSection={<Trash2 size={14} aria-hidden />}
        disabled={busy || pictures.length === 0}
        loading={remove.isPending}
        {...(pictures.length === 0 && { title: m.noPictures })}
        onClick={() => remove.mutate(pictures, { onSuccess: onRemoved })}
      >
        {m.remove}
      </Button>
    </ChosenFrame>
  )
}

function exportRows(rows: GridRow[]): void {
  const columns = ['zoho_item_id', 'sku', 'name', 'name_en', 'name_ar', 'price', 'currency', 'stock', 'status', 'image_state'] as const
  downloadCsv('zinc-products.csv', [[...columns, 'pictures'], ...rows.map((row) => [...columns.map((key) => row[key]), row.images.length])])
}
