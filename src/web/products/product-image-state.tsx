import type { Product } from '../../schemas/products.ts'
import { Badge, type Tone } from '../components/badge.tsx'
import { useMessages } from '../i18n/language.tsx'
import { defineMessages } from '../i18n/messages.ts'
import classes from './product-image.module.css'

const words = defineMessages(
  {
    zoho: 'From Zoho',
    upload: 'Uploaded',
    url: 'From a URL',
    import: 'Imported',
    none: 'No image',
    untried: 'Not downloaded yet',
    failed: 'Failed',
    newerFailed: 'Update failed',
    placeholder: 'Placeholder only',
    damaged: 'Damaged',
  },
  {
    zoho: 'من Zoho',
    upload: 'مرفوعة',
    url: 'من رابط',
    import: 'مستوردة',
    none: 'بلا صورة',
    untried: 'لم تُنزَّل بعد',
    failed: 'فشلت',
    newerFailed: 'فشل التحديث',
    placeholder: 'صورة بديلة فقط',
    damaged: 'تالفة',
  },
)

type Kind = NonNullable<Product['image_source']>['kind']

/** Where an image comes from, in words. */
export function useSourceLabels(): Record<Kind, string> {
  return useMessages(words)
}

interface Imaged {
  image_state: string
  source: Kind | null
  damaged: boolean
}

/** Whether a product has an image, where it comes from, and what is wrong with it. */
export function ProductImageState({ image_state, source, damaged }: Imaged) {
  const m = useMessages(words)
  const [tone, text]: [Tone, string] =
    source !== null
      ? damaged
        ? ['warn', m.damaged]
        : image_state === 'failed'
          ? ['warn', m.newerFailed]
          : ['good', m[source]]
      : image_state === 'failed'
        ? ['bad', m.failed]
        : image_state === 'untried'
          ? ['info', m.untried]
          : image_state === 'placeholder'
            ? ['plain', m.placeholder]
            : ['plain', m.none]
  // As it should be in most rows: only what asks for something has a colour.
  return tone === 'good' ? <span className={classes.fine}>{text}</span> : <Badge tone={tone}>{text}</Badge>
}
