/** Services that draw grey boxes: a catalogue that names them has no picture there. */
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

/** Whether an address is one of a known placeholder service (or a host below it). Anything that is no address is not. */
export function isPlaceholderUrl(url: string): boolean {
  const host = URL.parse(url)?.hostname.toLowerCase().replace(/\.$/, '')
  return host !== undefined && SERVICES.some((service) => host === service || host.endsWith(`.${service}`))
}
