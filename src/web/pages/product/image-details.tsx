import { Button, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import type { GalleryImage } from '../../../schemas/images.ts'
import { CopyButton } from '../../components/copy-button.tsx'
import { DescriptionList } from '../../components/description-list.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { commonMessages } from '../../components/messages.ts'
import { ExactTime } from '../../components/time.tsx'
import { toast } from '../../components/toast.tsx'
import { useLanguage, useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { ProductImage } from '../../products/product-image.tsx'
import { useSourceLabels } from '../../products/product-image-state.tsx'
import { altOf } from './image-card.tsx'
import classes from './image-details.module.css'
import { ImageStores } from './image-stores.tsx'
import { productMessages } from './messages.ts'
import type { useGalleryEdit } from './use-gallery.ts'

const MAX_ALT = 500

interface ImageDetailsProps {
  image: GalleryImage | null
  productName: string
  mayEdit: boolean
  describe: ReturnType<typeof useGalleryEdit>['describe']
  onClose(): void
}

/** One image, larger, with all that is known of it, and its words in both languages. */
export function ImageDetails({ image, onClose, ...rest }: ImageDetailsProps) {
  const m = useMessages(productMessages)
  return (
    <Dialog opened={image !== null} onClose={onClose} title={m.details} size="xl">
      {image && <Details image={image} onClose={onClose} {...rest} />}
    </Dialog>
  )
}

function Details({ image, productName, mayEdit, describe, onClose }: ImageDetailsProps & { image: GalleryImage }) {
  const m = useMessages(productMessages)
  const common = useMessages(commonMessages)
  const format = useFormat()
  const { language } = useLanguage()
  const sources = useSourceLabels()
  const [en, setEn] = useState(image.alt_en ?? '')
  const [ar, setAr] = useState(image.alt_ar ?? '')
  const changed = en !== (image.alt_en ?? '') || ar !== (image.alt_ar ?? '')
  const save = (event: FormEvent) => {
    event.preventDefault()
    describe.mutate(
      { image: image.id, texts: { alt_en: en.trim() || null, alt_ar: ar.trim() || null } },
      {
        onSuccess: () => {
          toast(m.saved)
          onClose()
        },
      },
    )
  }
  return (
    <div className={classes.details}>
      <ProductImage imageUrl={image.url} variant="medium" alt={altOf(image, language) ?? productName} className={classes.picture} />
      <div className={classes.side}>
        {mayEdit && (
          <form className={classes.form} onSubmit={save}>
            <TextInput
              label={m.altEn}
              description={m.altHint}
              lang="en"
              dir="ltr"
              maxLength={MAX_ALT}
              value={en}
              onChange={(event) => setEn(event.currentTarget.value)}
              data-autofocus
            />
            <TextInput
              label={m.altAr}
              lang="ar"
              dir="rtl"
              maxLength={MAX_ALT}
              value={ar}
              onChange={(event) => setAr(event.currentTarget.value)}
            />
            {describe.error !== null && <ErrorCard error={describe.error} />}
            <Button type="submit" disabled={!changed} loading={describe.isPending} className={classes.save}>
              {common.save}
            </Button>
          </form>
        )}
        <DescriptionList
          items={[
            [m.source, sources[image.image_source.kind]],
            [m.file, <bdi key="file">{image.filename}</bdi>],
            [m.type, <Ltr key="type">{image.content_type}</Ltr>],
            [
              m.dimensions,
              <Ltr key="size">
                {image.width} × {image.height}
              </Ltr>,
            ],
            [m.size, format.bytes(image.size)],
            [m.version, format.number(image.version)],
            [m.updated, <ExactTime key="at" at={image.updated_at} />],
            [
              m.hash,
              <span key="hash" className={classes.hash}>
                <Ltr mono>{image.sha256.slice(0, 16)}…</Ltr> <CopyButton value={image.sha256} what={m.hash} />
              </span>,
            ],
          ]}
        />
        <ImageStores photoId={image.id} />
      </div>
    </div>
  )
}
