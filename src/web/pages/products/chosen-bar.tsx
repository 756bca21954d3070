import { Button, CloseButton } from '@mantine/core'
import Download from 'lucide-react/icons/download'
import ImagesIcon from 'lucide-react/icons/images'
import RefreshCw from 'lucide-react/icons/refresh-cw'
import Trash2 from 'lucide-react/icons/trash-2'
import { useLocation } from 'wouter'
import { HOME } from '../../app/routes.ts'
import { useMessages } from '../../i18n/language.tsx'
import { type ManyResult, useManyPictures } from '../../products/many-pictures.ts'
import { downloadCsv } from '../../ui/csv.ts'
import { ErrorCard } from '../../ui/error-card.tsx'
import { commonMessages } from '../../ui/messages.ts'
import { Notice } from '../../ui/notice.tsx'
import { ServerText } from '../../ui/server-text.tsx'
import { toast, toastWithUndo } from '../../ui/toast.tsx'
import classes from './chosen-bar.module.css'
import { chosenMessages } from './chosen-messages.ts'
import { CHOSEN_MAX, type Chosen } from './use-chosen.ts'
import type { GridRow } from './use-product-blocks.ts'

/** What can be done with all that is chosen, at the foot of the list for as long as something is. */
export function ChosenBar({ chosen }: { chosen: Chosen }) {
  const m = useMessages(chosenMessages)
  const common = useMessages(commonMessages)
  const [, navigate] = useLocation()
  const { remove, restore, regenerate, refetch } = useManyPictures()
  const rows = [...chosen.rows.values()]
  const pictures = rows.flatMap(({ images }) => images)
  const started = (words: (count: { count: number }) => string) => ({
    onSuccess: ({ done, runId }: ManyResult) =>
      toastWithUndo(words({ count: done.length }), { label: m.openRun, act: () => navigate(`${HOME}/runs/${runId}`) }),
  })
  const removed = ({ done }: ManyResult) => {
    if (done.length === 0) return
    toastWithUndo(m.removed({ count: done.length }), {
      label: common.undo,
      act: () => restore.mutate(done, { onSuccess: (back) => toast(m.restored({ count: back.done.length })) }),
    })
    // Nothing of what was chosen has a picture any more.
    chosen.clear()
  }
  const actions = [remove, regenerate, refetch, restore]
  const failure = actions.find(({ error }) => error)?.error
  const refused = actions.flatMap(({ data }) => data?.failed ?? [])
  const busy = actions.some(({ isPending }) => isPending)
  // It stays, empty, so that an undo that fails has a place to say so.
  if (rows.length === 0 && !failure && refused.length === 0) return null
  return (
    <section className={classes.bar} aria-label={m.title}>
      {failure && <ErrorCard error={failure} />}
      {refused.length > 0 && (
        <Notice tone="warn" title={m.someFailed({ count: refused.length })}>
          {refused[0] && (
            <ServerText code={refused[0].code} part="what">
              {refused[0].message ?? ''}
            </ServerText>
          )}
        </Notice>
      )}
      {rows.length > 0 && (
        <div className={classes.row}>
          <p className={classes.count} role="status">
            <CloseButton size="sm" aria-label={m.clear} onClick={chosen.clear} />
            <strong>{m.products({ count: rows.length })}</strong>
            {rows.length >= CHOSEN_MAX && <span className={classes.limit}>{m.atMost}</span>}
          </p>
          <div className={classes.actions}>
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
              onClick={() => regenerate.mutate(pictures, started(m.regenerating))}
            >
              {m.regenerate}
            </Button>
            <Button
              size="xs"
              color="red.9"
              leftSection={<Trash2 size={14} aria-hidden />}
              disabled={busy || pictures.length === 0}
              loading={remove.isPending}
              {...(pictures.length === 0 && { title: m.noPictures })}
              onClick={() => remove.mutate(pictures, { onSuccess: removed })}
            >
              {m.remove}
            </Button>
          </div>
        </div>
      )}
    </section>
  )
}

function exportRows(rows: GridRow[]): void {
  const columns = ['zoho_item_id', 'sku', 'name', 'name_en', 'name_ar', 'price', 'currency', 'stock', 'status', 'image_state'] as const
  downloadCsv('zinc-products.csv', [[...columns, 'pictures'], ...rows.map((row) => [...columns.map((key) => row[key]), row.images.length])])
}
