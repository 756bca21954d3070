import type { ImageSize } from '../../facts/variants.ts'
/**
 * The address of a variant as this page asks for it. The API's address begins with PUBLIC_URL,
 * which may be another name of this server
 * than the one in the address bar; the page's policy lets images come from its own only.
 */
export function productImageUrl(imageUrl: string, variant: ImageSize): string {
  const { pathname, searchParams } = new URL(imageUrl, location.origin)
  searchParams.set('variant', variant)
  return `${pathname}?${searchParams}`
}
