import { Link } from 'wouter'
import type { MediaImage } from '../../../schemas/media.ts'
import { Badge } from '../../components/badge.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { ProductImage } from '../../products/product-image.tsx'
import classes from './library.module.css'
import { mediaMessages } from './messages.ts'

interface LibraryCardProps {
  image: MediaImage
  /** Of its product. */
  name: string
  /** Undefined where nothing can be chosen. */
  chosen: boolean | undefined
  onChoose(): void
  onView(): void
}

/** One image with its product; what is wrong with it is on it. */
export function LibraryCard({ image, name, chosen, onChoose, onView }: LibraryCardProps) {
  const m = useMessages(mediaMessages)
  const format = useFormat()
  return (
    <figure className={classes.image} data-chosen={chosen || undefined}>
      <button type="button" className={classes.view} aria-label={m.view({ name: image.filename })} onClick={onView}>
        <ProductImage imageUrl={image.url} variant="thumb" sharp alt={image.alt_en ?? image.alt_ar ?? name} className={classes.picture} />
      </button>
      {chosen !== undefined && (
        <label className={classes.choose}>
          <input type="checkbox" aria-label={m.choose({ name: image.filename })} checked={chosen} onChange={onChoose} />
        </label>
      )}
      {(image.damaged || image.deleted_at !== null) && (
        <span className={classes.state}>{image.damaged ? <Badge tone="warn">{m.damaged}</Badge> : <Badge>{m.deleted}</Badge>}</span>
      )}
      <figcaption className={classes.words}>
        <Link href={`/products/${image.product.id}`} className={classes.name} dir="auto">
          {name}
        </Link>
        <span className={classes.facts}>
          <Ltr>
            {image.width} × {image.height}
          </Ltr>
          <span>{format.bytes(image.size)}</span>
        </span>
      </figcaption>
    </figure>
  )
}
