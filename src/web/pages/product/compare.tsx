import { Button } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import Columns2 from 'lucide-react/icons/columns-2'
import { useState } from 'react'
import type { z } from 'zod'
import type { CompareResponse, GalleryImage } from '../../../schemas/images.ts'
import { request } from '../../api/request.ts'
import { useHasRole } from '../../app/session.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { ProductImage } from '../../products/product-image.tsx'
import classes from './compare.module.css'
import { productMessages } from './messages.ts'
import { useGalleryEdit } from './use-gallery.ts'

type Comparison = z.infer<typeof CompareResponse>['data']

/** Ours beside Zoho's, and the way to take Zoho's. */
export function Compare({ productId }: { productId: string }) {
  const m = useMessages(productMessages)
  const [opened, setOpened] = useState(false)
  return (
    <>
      <Button variant="default" leftSection={<Columns2 size={15} aria-hidden />} onClick={() => setOpened(true)}>
        {m.compare}
      </Button>
      <Dialog opened={opened} onClose={() => setOpened(false)} title={m.compareTitle} size="xl">
        {opened && <Comparing productId={productId} onTaken={() => setOpened(false)} />}
      </Dialog>
    </>
  )
}

function Comparing({ productId, onTaken }: { productId: string; onTaken(): void }) {
  const m = useMessages(productMessages)
  const mayEdit = useHasRole('operator')
  const client = useQueryClient()
  const edit = useGalleryEdit(productId)
  const queryKey = ['product', productId, 'compare']
  const query = useQuery({
    queryKey,
    queryFn: ({ signal }) =>
      request<{ data: Comparison }>(`/api/products/${productId}/images/compare`, { signal }).then(({ data }) => data),
  })
  const why = (zoho: Comparison['zoho']) =>
    ({ failed: m.zohoFailed, untried: m.zohoUntried, placeholder: m.zohoPlaceholder })[zoho.state] ?? m.zohoHasNone
  return (
    <QueryBoundary query={query} skeleton={<BlockSkeleton height={320} />}>
      {({ ours, zoho, same_bytes }) => (
        <div className={classes.compare}>
          <div className={classes.pair}>
            <Side title={m.ours} image={ours} none={m.weHaveNone} />
            <Side title={m.zohos} image={zoho.image} none={zoho.error ? `${why(zoho)} ${zoho.error}` : why(zoho)} />
          </div>
          {ours && zoho.image && <p className={classes.result}>{same_bytes ? m.sameBytes : m.differ}</p>}
          {mayEdit && zoho.image && !same_bytes && (
            <Button
              className={classes.take}
              loading={edit.makePrimary.isPending}
              onClick={() =>
                zoho.image &&
                edit.makePrimary.mutate(zoho.image.id, {
                  onSuccess: () => {
                    toast(m.nowPrimary)
                    void client.invalidateQueries({ queryKey })
                    onTaken()
                  },
                })
              }
            >
              {m.takeZohos}
            </Button>
          )}
        </div>
      )}
    </QueryBoundary>
  )
}

function Side({ title, image, none }: { title: string; image: GalleryImage | null; none: string }) {
  const format = useFormat()
  return (
    <figure className={classes.side}>
      <figcaption className={classes.title}>{title}</figcaption>
      <ProductImage imageUrl={image?.url ?? null} variant="medium" alt={image ? title : ''} className={classes.picture} />
      <p className={classes.facts}>
        {image ? (
          <>
            <bdi>{image.filename}</bdi>
            <br />
            <Ltr>
              {image.width} × {image.height}
            </Ltr>{' '}
            · {format.bytes(image.size)}
          </>
        ) : (
          none
        )}
      </p>
    </figure>
  )
}
