import { ActionIcon } from '@mantine/core'
import ArrowDownToLine from 'lucide-react/icons/arrow-down-to-line'
import ChevronLeft from 'lucide-react/icons/chevron-left'
import ChevronRight from 'lucide-react/icons/chevron-right'
import { type ReactNode, useEffect } from 'react'
import { Dialog } from '../components/dialog.tsx'
import { Ltr } from '../components/ltr.tsx'
import { useMessages } from '../i18n/language.tsx'
import { defineMessages } from '../i18n/messages.ts'
import { useFormat } from '../i18n/shop-zone.tsx'
import classes from './lightbox.module.css'
import { ProductImage } from './product-image.tsx'

const messages = defineMessages(
  {
    previous: 'Previous image',
    next: 'Next image',
    place: ({ place, of }: { place: string; of: string }) => `${place} of ${of}`,
    original: 'Open original',
  },
  {
    previous: 'الصورة السابقة',
    next: 'الصورة التالية',
    place: ({ place, of }) => `${place} من ${of}`,
    original: 'فتح الأصل',
  },
)

export interface LightboxImage {
  id: string
  url: string | null
  filename: string
  alt: string
  width: number
  height: number
}

interface LightboxProps {
  images: LightboxImage[]
  /** Null: closed. */
  shownId: string | null
  onShow(id: string | null): void
  /** What is said below an image, beside its place and size. */
  caption?(id: string): ReactNode
}

/** One image as large as the window allows; arrow keys go to its neighbours. */
export function Lightbox({ images, shownId, onShow, caption }: LightboxProps) {
  const m = useMessages(messages)
  const format = useFormat()
  const index = images.findIndex(({ id }) => id === shownId)
  const image = images[index]
  const go = (by: number) => {
    const next = images[index + by]
    if (next) onShow(next.id)
  }
  useEffect(() => {
    if (!image) return
    const press = (event: KeyboardEvent) => {
      if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return
      const forward = document.documentElement.dir === 'rtl' ? 'ArrowLeft' : 'ArrowRight'
      go(event.key === forward ? 1 : -1)
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  })
  return (
    <Dialog opened={image !== undefined} onClose={() => onShow(null)} title={image?.filename ?? ''} size="full">
      {image && (
        <figure className={classes.figure}>
          <div className={classes.stage}>
            <ProductImage key={image.id} imageUrl={image.url} variant="original" alt={image.alt} className={classes.image} />
          </div>
          <figcaption className={classes.foot}>
            <ActionIcon variant="default" size="lg" disabled={index === 0} aria-label={m.previous} onClick={() => go(-1)}>
              <ChevronLeft size={18} aria-hidden className={classes.flip} />
            </ActionIcon>
            <span className={classes.facts} role="status">
              {images.length > 1 && `${m.place({ place: format.number(index + 1), of: format.number(images.length) })} · `}
              <Ltr>
                {image.width} × {image.height}
              </Ltr>
            </span>
            <ActionIcon variant="default" size="lg" disabled={index === images.length - 1} aria-label={m.next} onClick={() => go(1)}>
              <ChevronRight size={18} aria-hidden className={classes.flip} />
            </ActionIcon>
            {caption?.(image.id)}
            {image.url !== null && (
              <a className={classes.original} href={image.url} target="_blank" rel="noreferrer">
                <ArrowDownToLine size={15} aria-hidden /> {m.original}
              </a>
            )}
          </figcaption>
        </figure>
      )}
    </Dialog>
  )
}
