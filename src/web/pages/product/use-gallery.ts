import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { GalleryImage } from '../../../schemas/images.ts'
import type { Product } from '../../../schemas/products.ts'
import { request } from '../../api/request.ts'

export const productKey = (id: string) => ['product', id] as const
const galleryKey = (id: string) => ['product', id, 'gallery'] as const
const primaryFirst = (a: GalleryImage, b: GalleryImage) => Number(b.is_primary) - Number(a.is_primary) || a.sort_order - b.sort_order
const addressOf = (id: string) => `/api/products/${encodeURIComponent(id)}`

export const useProduct = (id: string) =>
  useQuery({
    queryKey: productKey(id),
    queryFn: ({ signal }) => request<{ data: Product }>(addressOf(id), { signal }).then(({ data }) => data),
  })

/** The images, and those that were deleted and can be brought back. */
export const useGallery = (id: string) =>
  useQuery({
    queryKey: galleryKey(id),
    queryFn: ({ signal }) =>
      request<{ data: GalleryImage[] }>(`${addressOf(id)}/images`, { query: { include_deleted: true }, signal }).then(({ data }) => ({
        shown: data.filter(({ deleted_at }) => deleted_at === null).sort(primaryFirst),
        deleted: data.filter(({ deleted_at }) => deleted_at !== null),
      })),
  })
export type Gallery = NonNullable<ReturnType<typeof useGallery>['data']>

export type AltTexts = Pick<GalleryImage, 'alt_en' | 'alt_ar'>

/** What can be done to a gallery. Each shows at once and is taken back when the server refuses. */
export function useGalleryEdit(id: string) {
  const client = useQueryClient()
  const images = `${addressOf(id)}/images`
  const settle = () => {
    void client.invalidateQueries({ queryKey: productKey(id) })
    void client.invalidateQueries({ queryKey: ['products'] })
    void client.invalidateQueries({ queryKey: ['coverage'] })
  }
  /** Shows `change` at once; answers what takes it back. */
  const show = async (change: (gallery: Gallery) => Gallery) => {
    await client.cancelQueries({ queryKey: galleryKey(id) })
    const before = client.getQueryData<Gallery>(galleryKey(id))
    client.setQueryData<Gallery>(galleryKey(id), (gallery) => gallery && change(gallery))
    return () => client.setQueryData(galleryKey(id), before)
  }
  const optimistic = <Given>(send: (given: Given) => Promise<unknown>, change: (gallery: Gallery, given: Given) => Gallery) => ({
    mutationFn: send,
    onMutate: (given: Given) => show((gallery) => change(gallery, given)),
    onError: (_error: unknown, _given: Given, takeBack: (() => void) | undefined) => takeBack?.(),
    onSettled: settle,
  })

  /** In this order. `promote`: the first one was not the primary yet and becomes it. */
  const order = useMutation(
    optimistic<{ ids: string[]; promote: boolean }>(
      async ({ ids, promote }) => {
        if (promote) await request(`${images}/${ids[0]}`, { method: 'PATCH', body: { is_primary: true } })
        await request(`${images}/order`, { method: 'PUT', body: ids })
      },
      (gallery, { ids }) => {
        const byId = new Map(gallery.shown.map((image) => [image.id, image]))
        const shown = ids.flatMap((image) => byId.get(image) ?? []).map((image, index) => ({ ...image, is_primary: index === 0 }))
        return { ...gallery, shown }
      },
    ),
  )
  const makePrimary = useMutation(
    optimistic<string>(
      (image) => request(`${images}/${image}`, { method: 'PATCH', body: { is_primary: true } }),
      (gallery, primary) => ({
        ...gallery,
        shown: gallery.shown.map((image) => ({ ...image, is_primary: image.id === primary })).sort(primaryFirst),
      }),
    ),
  )
  const describe = useMutation(
    optimistic<{ image: string; texts: AltTexts }>(
      ({ image, texts }) => request(`${images}/${image}`, { method: 'PATCH', body: texts }),
      (gallery, { image, texts }) => ({ ...gallery, shown: gallery.shown.map((it) => (it.id === image ? { ...it, ...texts } : it)) }),
    ),
  )
  const remove = useMutation(
    optimistic<string>(
      (image) => request(`${images}/${image}`, { method: 'DELETE' }),
      (gallery, image) => ({ ...gallery, shown: gallery.shown.filter((it) => it.id !== image) }),
    ),
  )
  const restore = useMutation({
    mutationFn: (image: string) => request(`${images}/${image}/restore`, { method: 'POST' }),
    onSettled: settle,
  })
  /**
   * Another image in the same place with the same words. The one before is deleted like any
   * other, so that it can be brought back.
   */
  const replace = useMutation({
    mutationFn: async ({ image, file }: { image: GalleryImage; file: File }) => {
      const form = new FormData()
      if (image.is_primary) form.append('is_primary', 'true')
      if (image.alt_en) form.append('alt_en', image.alt_en)
      if (image.alt_ar) form.append('alt_ar', image.alt_ar)
      form.append('file', file, file.name)
      const { data } = await request<{ data: GalleryImage }>(`${images}/upload`, { method: 'POST', body: form })
      const shown = client.getQueryData<Gallery>(galleryKey(id))?.shown ?? []
      const ids = shown.flatMap((other) => (other.id === image.id ? [data.id, other.id] : other.id === data.id ? [] : [other.id]))
      await request(`${images}/order`, { method: 'PUT', body: ids })
      await request(`${images}/${image.id}`, { method: 'DELETE' })
    },
    onSettled: settle,
  })
  return { order, makePrimary, describe, remove, restore, replace, refresh: settle }
}
