import { useSortable } from '@dnd-kit/sortable'
import { ActionIcon, Menu } from '@mantine/core'
import ArrowDownToLine from 'lucide-react/icons/arrow-down-to-line'
import Ellipsis from 'lucide-react/icons/ellipsis'
import GripVertical from 'lucide-react/icons/grip-vertical'
import ChevronFirst from 'lucide-react/icons/move-left'
import ChevronLast from 'lucide-react/icons/move-right'
import Replace from 'lucide-react/icons/replace'
import Star from 'lucide-react/icons/star'
import TextCursorInput from 'lucide-react/icons/text-cursor-input'
import Trash2 from 'lucide-react/icons/trash-2'
import { type PointerEvent, useRef } from 'react'
import type { GalleryImage } from '../../../schemas/images.ts'
import { Badge } from '../../components/badge.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { useLanguage, useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { ProductImage } from '../../products/product-image.tsx'
import { useSourceLabels } from '../../products/product-image-state.tsx'
import classes from './image-card.module.css'
import { productMessages } from './messages.ts'

/** What a person may choose as an image. */
export const IMAGE_TYPES = 'image/jpeg,image/png,image/webp,image/gif,image/avif,image/bmp'

interface ImageCardProps {
  image: GalleryImage
  productName: string
  mayEdit: boolean
  isFirst: boolean
  isLast: boolean
  selection: boolean
  onChoose(): void
  onPrimary(): void
  onMove(by: 1 | -1): void
  onDetails(): void
  onView(): void
  onReplace(file: File): void
  onRemove(): void
}

/**
 * The words for an image in the reader's language, else in the other one; null when there are
 * none.
 */
export const altOf = ({ alt_en, alt_ar }: GalleryImage, language: 'en' | 'ar'): string | null =>
  (language === 'ar' ? (alt_ar ?? alt_en) : (alt_en ?? alt_ar)) || null

export function ImageCard({ image, productName, mayEdit, isFirst, isLast, selection, ...on }: ImageCardProps) {
  const m = useMessages(productMessages)
  const format = useFormat()
  const { language } = useLanguage()
  const sources = useSourceLabels()
  const { setNodeRef, setActivatorNodeRef, attributes, listeners, transform, transition, isDragging } = useSortable({
    id: image.id,
    disabled: !mayEdit,
  })
  const alt = altOf(image, language)
  const input = useRef<HTMLInputElement>(null)
  const place = transform ? { transform: `translate(${transform.x}px, ${transform.y}px)` } : {}
  // The whole image can be dragged with a mouse; by touch only the handle, so that the page still
  // scrolls under a finger.
  const onPointerDown = (event: PointerEvent) => event.pointerType === 'mouse' && listeners?.onPointerDown?.(event)
  return (
    <li
      ref={setNodeRef}
      className={classes.card}
      data-picture={image.id}
      data-chosen={selection || undefined}
      data-dragging={isDragging || undefined}
      style={{ ...place, transition }}
    >
      <div className={classes.stage} onPointerDown={mayEdit ? onPointerDown : undefined}>
        {/* A press that moves becomes a drag before it is a click. */}
        <button type="button" className={classes.view} aria-label={m.viewOf({ name: image.filename })} onClick={on.onView}>
          <ProductImage imageUrl={image.url} variant="medium" alt={alt ?? productName} className={classes.picture} />
        </button>
        {image.is_primary && (
          <span className={classes.primary}>
            <Star size={12} fill="currentColor" aria-hidden /> {m.primary}
          </span>
        )}
      </div>
      {mayEdit && !(isFirst && isLast) && (
        <label className={classes.choose}>
          <input type="checkbox" aria-label={m.chooseImage({ name: image.filename })} checked={selection} onChange={on.onChoose} />
        </label>
      )}
      <div className={classes.facts}>
        <p className={classes.name} dir="auto" title={image.filename}>
          {image.filename}
        </p>
        <p className={`${classes.small} ${classes.sizes}`}>
          <Ltr>
            {image.width} × {image.height}
          </Ltr>
          <span>{format.bytes(image.size)}</span>
        </p>
        <p className={classes.small} dir="auto" title={alt ?? undefined}>
          {alt ?? m.altMissing}
        </p>
        <div className={classes.foot}>
          {image.damaged ? <Badge tone="warn">{m.damaged}</Badge> : <Badge>{sources[image.image_source.kind]}</Badge>}
          <span className={classes.buttons}>
            {mayEdit && !(isFirst && isLast) && (
              <ActionIcon
                ref={setActivatorNodeRef}
                variant="subtle"
                color="gray"
                className={classes.handle}
                {...attributes}
                {...listeners}
                aria-label={m.dragOf({ name: image.filename })}
              >
                <GripVertical size={16} aria-hidden />
              </ActionIcon>
            )}
            <Menu position="bottom-end" withinPortal>
              <Menu.Target>
                <ActionIcon variant="subtle" color="gray" data-menu aria-label={m.menuOf({ name: image.filename })}>
                  <Ellipsis size={16} aria-hidden />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                {mayEdit && !image.is_primary && (
                  <Menu.Item leftSection={<Star size={15} aria-hidden />} onClick={on.onPrimary}>
                    {m.makePrimary}
                  </Menu.Item>
                )}
                <Menu.Item leftSection={<TextCursorInput size={15} aria-hidden />} onClick={on.onDetails}>
                  {m.details}
                </Menu.Item>
                {mayEdit && !isFirst && (
                  <Menu.Item leftSection={<ChevronFirst size={15} aria-hidden className={classes.flip} />} onClick={() => on.onMove(-1)}>
                    {m.moveEarlier}
                  </Menu.Item>
                )}
                {mayEdit && !isLast && (
                  <Menu.Item leftSection={<ChevronLast size={15} aria-hidden className={classes.flip} />} onClick={() => on.onMove(1)}>
                    {m.moveLater}
                  </Menu.Item>
                )}
                {mayEdit && (
                  <Menu.Item leftSection={<Replace size={15} aria-hidden />} onClick={() => input.current?.click()}>
                    {m.replace}
                  </Menu.Item>
                )}
                {image.url !== null && (
                  <Menu.Item
                    component="a"
                    href={image.url}
                    target="_blank"
                    rel="noreferrer"
                    leftSection={<ArrowDownToLine size={15} aria-hidden />}
                  >
                    {m.openOriginal}
                  </Menu.Item>
                )}
                {mayEdit && (
                  <Menu.Item color="red" leftSection={<Trash2 size={15} aria-hidden />} onClick={on.onRemove}>
                    {m.remove}
                  </Menu.Item>
                )}
              </Menu.Dropdown>
            </Menu>
            <input
              ref={input}
              type="file"
              accept={IMAGE_TYPES}
              hidden
              aria-label={m.replace}
              onChange={(event) => {
                const file = event.currentTarget.files?.[0]
                event.currentTarget.value = ''
                if (file) on.onReplace(file)
              }}
            />
          </span>
        </div>
      </div>
    </li>
  )
}
