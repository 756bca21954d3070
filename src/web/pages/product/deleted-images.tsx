import { Button } from '@mantine/core'
import Undo2 from 'lucide-react/icons/undo-2'
import type { GalleryImage } from '../../../schemas/images.ts'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import classes from './deleted-images.module.css'
import { productMessages } from './messages.ts'
import type { useGalleryEdit } from './use-gallery.ts'

interface TrashProps {
  pictures: GalleryImage[]
  restore: ReturnType<typeof useGalleryEdit>['restore']
}

/** What was deleted and can still be brought back. */
export function DeletedImages({ pictures: images, restore }: TrashProps) {
  const m = useMessages(productMessages)
  const format = useFormat()
  return (
    <details className={classes.trash}>
      <summary>
        {m.trash} ({format.number(images.length)})
      </summary>
      <p className={classes.hint}>{m.trashHint}</p>
      <ul className={classes.list}>
        {images.map((image) => (
          <li key={image.id} className={classes.row}>
            <span className={classes.name}>
              <bdi>{image.filename}</bdi>
              {image.restore_until && <span className={classes.until}>{m.until({ at: format.dateTime(image.restore_until) })}</span>}
            </span>
            <Button
              size="xs"
              variant="default"
              leftSection={<Undo2 size={14} aria-hidden />}
              loading={restore.isPending && restore.variables === image.id}
              onClick={() => restore.mutate(image.id, { onSuccess: () => toast(m.restored) })}
            >
              {m.restore}
            </Button>
          </li>
        ))}
      </ul>
    </details>
  )
}
