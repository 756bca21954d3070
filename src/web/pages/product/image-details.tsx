import { Button, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import type { GalleryImage } from '../../../schemas/images.ts'
import { CopyButton } from '../../components/copy-button.tsx'
import { Facts } from '../../components/description-list.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { commonMessages } from '../../components/messages.ts'
import { ExactTime } from '../../components/time.tsx'
import { toast } from '../../components/toast.tsx'
import { useLanguage, useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { Picture } from '../../products/product-image.tsx'
import { useSourceWords } from '../../products/product-image-state.tsx'
import { altOf } from './image-card.tsx'
import classes from './image-details.module.css'
import { PictureStores } from './image-stores.tsx'
import { productMessages } from './messages.ts'
import type { useGalleryEdit } from './use-gallery.ts'

const MAX_ALT = 500

interface PictureDetailsProps {
  picture: GalleryImage | null
  productName: string
  mayEdit: boolean
  describe: ReturnType<typeof useGalleryEdit>['describe']
  onClose(): void
}

/** One picture, larger, with all that is known of it, and its words in both languages. */
export function PictureDetails({ picture, onClose, ...rest }: PictureDetailsProps) {
  const m = useMessages(productMessages)
  return (
    <Dialog opened={picture !== null} onClose={onClose} title={m.details} size="xl">
      {picture && <Details picture={picture} onClose={onClose} {...rest} />}
    </Dialog>
  )
}

function Details({ picture, productName, mayEdit, describe, onClose }: PictureDetailsProps & { picture: GalleryImage }) {
  const m = useMessages(productMessages)
  const common = useMessages(commonMessages)
  const format = useFormat()
  const { language } = useLanguage()
  const sources = useSourceWords()
  const [en, setEn] = useState(picture.alt_en ?? '')
  const [ar, setAr] = useState(picture.alt_ar ?? '')
  const changed = en !== (picture.alt_en ?? '') || ar !== (picture.alt_ar ?? '')
  const save = (event: FormEvent) => {
    event.preventDefault()
    describe.mutate(
      { image: picture.id, texts: { alt_en: en.trim() || null, alt_ar: ar.trim() || null } },
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
      <Picture imageUrl={picture.url} variant="medium" alt={altOf(picture, language) ?? productName} className={classes.picture} />
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
        <Facts
          facts={[
            [m.source, sources[picture.image_source.kind]],
            [m.file, <bdi key="file">{picture.filename}</bdi>],
            [m.type, <Ltr key="type">{picture.content_type}</Ltr>],
            [
              m.dimensions,
              <Ltr key="size">
                {picture.width} × {picture.height}
              </Ltr>,
            ],
            [m.size, format.bytes(picture.size)],
            [m.version, format.number(picture.version)],
            [m.updated, <ExactTime key="at" at={picture.updated_at} />],
            [
              m.hash,
              <span key="hash" className={classes.hash}>
                <Ltr mono>{picture.sha256.slice(0, 16)}…</Ltr> <CopyButton value={picture.sha256} what={m.hash} />
              </span>,
            ],
          ]}
        />
        <PictureStores photoId={picture.id} />
      </div>
    </div>
  )
}
