import {
  type Announcements,
  closestCenter,
  DndContext,
  type DragEndEvent,
  KeyboardSensor,
  PointerSensor,
  useSensor,
  useSensors,
} from '@dnd-kit/core'
import { arrayMove, rectSortingStrategy, SortableContext, sortableKeyboardCoordinates } from '@dnd-kit/sortable'
import { Button, FileButton } from '@mantine/core'
import ImagePlus from 'lucide-react/icons/image-plus'
import { useEffect, useRef, useState } from 'react'
import type { GalleryImage } from '../../../schemas/images.ts'
import type { Product } from '../../../schemas/products.ts'
import { useHasRole } from '../../app/session.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { commonMessages } from '../../components/messages.ts'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { toast, toastWithUndo } from '../../components/toast.tsx'
import { useFileDrop } from '../../components/use-file-drop.ts'
import { useUnsavedChanges } from '../../components/use-unsaved-changes.ts'
import { useLanguage, useMessages } from '../../i18n/language.tsx'
import { Lightbox } from '../../products/lightbox.tsx'
import { DeletedImages } from './deleted-images.tsx'
import classes from './gallery.module.css'
import { altOf, IMAGE_TYPES, ImageCard } from './image-card.tsx'
import { ImageDetails } from './image-details.tsx'
import { productMessages } from './messages.ts'
import { SelectedImages } from './selected-images.tsx'
import { UploadList } from './upload-list.tsx'
import { type Gallery as GalleryData, useGallery, useGalleryEdit } from './use-gallery.ts'
import { useListFocus } from './use-list-focus.ts'
import { useUploads } from './use-uploads.ts'

/** A press that moves less is a click. */
const DRAG_PX = 6

/**
 * The images of a product: upload by drop, paste or choice, order by drag, keys or menu, primary,
 * words, delete with undo.
 */
export function Gallery({ product }: { product: Product }) {
  const m = useMessages(productMessages)
  const mayEdit = useHasRole('operator')
  const gallery = useGallery(product.id)
  const edit = useGalleryEdit(product.id)
  const section = useRef<HTMLDivElement>(null)
  const { uploads, add, again, stop } = useUploads(product.id, () => {
    toast(m.uploaded({ count: 1 }))
    edit.refresh()
  })
  const { over, handlers } = useFileDrop(add, mayEdit)
  useUnsavedChanges(uploads.some(({ state }) => state !== 'failed'))
  usePastedFiles(add, mayEdit)
  const failed = [edit.order, edit.makePrimary, edit.describe, edit.remove, edit.restore, edit.replace].find(({ error }) => error)

  return (
    <div className={classes.drop} data-over={over || undefined} ref={section} {...handlers}>
      <Section
        title={m.pictures}
        description={mayEdit && (gallery.data?.shown.length ?? 0) > 1 ? m.imageHint : undefined}
        actions={mayEdit && <AddButton onAdd={add} label={m.addImages} />}
      >
        <div className={classes.body}>
          {failed && <ErrorCard error={failed.error} onRetry={failed.reset} />}
          <UploadList uploads={uploads} onStop={stop} onAgain={again} />
          <QueryBoundary query={gallery} skeleton={<BlockSkeleton height={220} />}>
            {(data) => (
              <>
                {data.shown.length > 0 ? (
                  <SortableImages product={product} gallery={data} edit={edit} mayEdit={mayEdit} />
                ) : (
                  uploads.length === 0 && (
                    <EmptyState
                      icon={ImagePlus}
                      title={m.noImages}
                      text={mayEdit ? m.noImagesText : m.noImagesViewer}
                      action={mayEdit && <AddButton onAdd={add} label={m.chooseFiles} />}
                    />
                  )
                )}
                {data.deleted.length > 0 && mayEdit && <DeletedImages pictures={data.deleted} restore={edit.restore} />}
              </>
            )}
          </QueryBoundary>
        </div>
      </Section>
      {over && (
        <div className={classes.over} aria-hidden>
          <ImagePlus size={28} />
          {m.dropHere}
        </div>
      )}
    </div>
  )
}

const AddButton = ({ onAdd, label }: { onAdd(files: File[]): void; label: string }) => (
  <FileButton multiple accept={IMAGE_TYPES} onChange={onAdd}>
    {(props) => (
      <Button {...props} leftSection={<ImagePlus size={15} aria-hidden />}>
        {label}
      </Button>
    )}
  </FileButton>
)

interface SortableImagesProps {
  product: Product
  gallery: GalleryData
  edit: ReturnType<typeof useGalleryEdit>
  mayEdit: boolean
}

function SortableImages({ product, gallery, edit, mayEdit }: SortableImagesProps) {
  const m = useMessages(productMessages)
  const common = useMessages(commonMessages)
  const { language } = useLanguage()
  const [shownId, setShownId] = useState<string | null>(null)
  const [viewedId, setViewedId] = useState<string | null>(null)
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set())
  const list = useRef<HTMLUListElement>(null)
  const images = gallery.shown
  const ids = images.map(({ id }) => id)
  const keptFocus = useListFocus(list, ids)
  // One that was deleted meanwhile is chosen no more.
  const selection = ids.filter((id) => marked.has(id))
  const choose = (id: string) => setMarked(new Set(marked.has(id) ? selection.filter((one) => one !== id) : [...selection, id]))
  const nameOf = (id: unknown) => images.find((image) => image.id === id)?.filename ?? ''
  const placeOf = (id: unknown) => ids.indexOf(String(id)) + 1

  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: DRAG_PX } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  )
  const announcements: Announcements = {
    onDragStart: ({ active }) => m.pickedUp({ name: nameOf(active.id) }),
    onDragOver: ({ active, over }) => (over ? m.moved({ name: nameOf(active.id), place: placeOf(over.id), of: ids.length }) : undefined),
    onDragEnd: ({ active, over }) => (over ? m.putDown({ name: nameOf(active.id), place: placeOf(over.id) }) : undefined),
    onDragCancel: ({ active }) => m.putBack({ name: nameOf(active.id) }),
  }

  const move = (from: number, to: number) => {
    if (from === to || from < 0 || to < 0 || to >= ids.length) return
    const next = arrayMove(ids, from, to)
    const promote = next[0] !== images.find(({ is_primary }) => is_primary)?.id
    edit.order.mutate({ ids: next, promote }, { onSuccess: () => promote && toast(m.nowPrimary) })
  }
  const remove = (image: GalleryImage) => {
    edit.remove.mutate(image.id, {
      onSuccess: () =>
        toastWithUndo(m.removed({ name: image.filename }), {
          label: common.undo,
          act: () => edit.restore.mutate(image.id, { onSuccess: () => toast(m.restored) }),
        }),
    })
  }
  const replace = (image: GalleryImage, file: File) => {
    edit.replace.mutate(
      { image, file },
      {
        onSuccess: () =>
          toastWithUndo(m.replaced({ name: image.filename }), {
            label: common.undo,
            act: () => edit.restore.mutate(image.id, { onSuccess: () => toast(m.restored) }),
          }),
      },
    )
  }
  const shown = images.find(({ id }) => id === shownId)

  return (
    <>
      <DndContext
        sensors={sensors}
        collisionDetection={closestCenter}
        accessibility={{ announcements, screenReaderInstructions: { draggable: m.dragHelp } }}
        onDragEnd={({ active, over }: DragEndEvent) => over && move(ids.indexOf(String(active.id)), ids.indexOf(String(over.id)))}
      >
        <SortableContext items={ids} strategy={rectSortingStrategy}>
          <ul className={classes.grid} aria-label={m.pictures} ref={list} {...keptFocus}>
            {images.map((image, index) => (
              <ImageCard
                key={image.id}
                image={image}
                productName={product.name}
                mayEdit={mayEdit}
                isFirst={index === 0}
                isLast={index === images.length - 1}
                selection={marked.has(image.id)}
                onChoose={() => choose(image.id)}
                onPrimary={() => edit.makePrimary.mutate(image.id, { onSuccess: () => toast(m.nowPrimary) })}
                onMove={(by) => move(index, index + by)}
                onDetails={() => setShownId(image.id)}
                onView={() => setViewedId(image.id)}
                onReplace={(file) => replace(image, file)}
                onRemove={() => remove(image)}
              />
            ))}
          </ul>
        </SortableContext>
      </DndContext>
      <Lightbox
        images={images.map((image) => ({ ...image, alt: altOf(image, language) ?? product.name }))}
        shownId={viewedId}
        onShow={setViewedId}
      />
      {mayEdit && <SelectedImages ids={selection} onClear={() => setMarked(new Set())} />}
      <ImageDetails
        image={shown ?? null}
        productName={product.name}
        mayEdit={mayEdit}
        describe={edit.describe}
        onClose={() => setShownId(null)}
      />
    </>
  )
}

/** An image that was copied elsewhere can be pasted anywhere on the page, except into a field. */
function usePastedFiles(take: (files: File[]) => void, enabled: boolean) {
  useEffect(() => {
    if (!enabled) return
    const paste = (event: ClipboardEvent) => {
      const files = [...(event.clipboardData?.files ?? [])]
      if (files.length === 0 || (event.target as Element | null)?.closest('input, textarea')) return
      event.preventDefault()
      take(files)
    }
    addEventListener('paste', paste)
    return () => removeEventListener('paste', paste)
  }, [take, enabled])
}
