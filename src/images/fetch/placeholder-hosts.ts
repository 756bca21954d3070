/** Services that draw placeholder images: a catalogue that names them has no image there. */
const SERVICES = [
  'via.placeholder.com',
  'placeholder.com',
  'placehold.co',
  'placehold.it',
  'placehold.jp',
  'dummyimage.com',
  'picsum.photos',
  'loremflickr.com',
  'lorempixel.com',
  'placekitten.com',
  'placeimg.com',
  'placebear.com',
  'fakeimg.pl',
  'dummyjson.com',
  'source.unsplash.com',
]

/**
 * Returns whether a URL is one of a known placeholder service (or a host below it); false for
 * anything that is not a URL.
 */
export function isPlaceholderUrl(url: string): boolean {
  const host = URL.parse(url)?.hostname.toLowerCase().replace(/\.$/, '')
  return host !== undefined && SERVICES.some((service) => host === service || host.endsWith(`.${service}`))
}
