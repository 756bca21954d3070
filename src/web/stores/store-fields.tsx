import { Checkbox, NativeSelect, Radio, Textarea, TextInput } from '@mantine/core'
import { type ImageSize, VARIANT_NAMES, VARIANTS } from '../../facts/variants.ts'
import type { Assortment, Store } from '../../schemas/stores.ts'
import { useLanguage, useMessages } from '../i18n/language.tsx'
import { CategoriesInUse } from './categories-in-use.tsx'
import { LocationField } from './location-field.tsx'
import { storesMessages } from './messages.ts'
import classes from './store-fields.module.css'

/** What a store receives, as the form holds it. */
export interface AssortmentForm {
  variant: ImageSize
  selected: boolean
  skus: string
  categories: string
  inStock: boolean
  /** Blank: all locations together. */
  location: string
  /** Blank: no limit. */
  rateLimit: string
  /** Edge servers of the shop fetch from each other. */
  share: boolean
}

export const EVERYTHING: AssortmentForm = {
  variant: 'original',
  selected: false,
  skus: '',
  categories: '',
  inStock: false,
  location: '',
  rateLimit: '',
  share: false,
}

export function toAssortmentForm({
  variant,
  assortment,
  location_id,
  rate_limit,
  share,
}: Pick<Store, 'variant' | 'assortment' | 'location_id' | 'rate_limit' | 'share'>): AssortmentForm {
  return {
    variant: variant ?? 'original',
    selected: assortment !== null,
    skus: (assortment?.skus ?? []).join('\n'),
    categories: (assortment?.categories ?? []).join('\n'),
    inStock: assortment?.in_stock === true,
    location: location_id ?? '',
    rateLimit: rate_limit ?? '',
    share,
  }
}

const linesOf = (text: string): string[] => [...new Set(text.split(/\r?\n/).map((line) => line.trim()))].filter(Boolean)

/**
 * In the words of the API; `assortment` of undefined: a selection that selects nothing, which
 * nobody means.
 */
export function bodyOf(receives: AssortmentForm): {
  variant: AssortmentForm['variant']
  rate_limit: string | null
  share: boolean
  location_id: string | null
  assortment: Assortment | null | undefined
} {
  const { variant, selected, inStock, share } = receives
  const fixed = { variant, rate_limit: receives.rateLimit.trim() || null, share, location_id: receives.location || null }
  if (!selected) return { ...fixed, assortment: null }
  const skus = linesOf(receives.skus)
  const categories = linesOf(receives.categories)
  if (skus.length === 0 && categories.length === 0 && !inStock) return { ...fixed, assortment: undefined }
  return {
    ...fixed,
    assortment: { ...(skus.length > 0 && { skus }), ...(categories.length > 0 && { categories }), ...(inStock && { in_stock: true }) },
  }
}

/** Size and assortment. */
export function AssortmentFields({ value, onChange }: { value: AssortmentForm; onChange(value: AssortmentForm): void }) {
  const m = useMessages(storesMessages)
  const { language } = useLanguage()
  return (
    <>
      <NativeSelect
        label={m.variant}
        description={m.variantHint}
        value={value.variant}
        onChange={(event) => onChange({ ...value, variant: event.currentTarget.value as AssortmentForm['variant'] })}
        data={[
          { value: 'original', label: m.variantOriginal },
          ...VARIANT_NAMES.toReversed().map((size) => {
            const { label, pixels } = VARIANTS[size]
            return { value: size, label: m.variantOf({ size: label[language], pixels: String(pixels) }) }
          }),
        ]}
      />
      <TextInput
        label={m.rateLimit}
        description={m.rateLimitHint}
        dir="ltr"
        value={value.rateLimit}
        onChange={(event) => onChange({ ...value, rateLimit: event.currentTarget.value })}
      />
      <Checkbox
        label={m.share}
        description={m.shareHint}
        checked={value.share}
        onChange={(event) => onChange({ ...value, share: event.currentTarget.checked })}
      />
      <LocationField value={value.location} onChange={(location) => onChange({ ...value, location })} />
      <Radio.Group
        label={m.assortment}
        description={m.assortmentHint}
        value={value.selected ? 'selection' : 'everything'}
        onChange={(choice) => onChange({ ...value, selected: choice === 'selection' })}
      >
        <div className={classes.choices}>
          <Radio value="everything" label={m.everything} />
          <Radio value="selection" label={m.selection} />
        </div>
      </Radio.Group>
      {value.selected && (
        <div className={classes.selection}>
          <Textarea
            label={m.skus}
            dir="ltr"
            autosize={false}
            rows={4}
            spellCheck={false}
            value={value.skus}
            onChange={(event) => onChange({ ...value, skus: event.currentTarget.value })}
          />
          <Textarea
            label={m.categories}
            dir="auto"
            rows={4}
            value={value.categories}
            onChange={(event) => onChange({ ...value, categories: event.currentTarget.value })}
          />
          <CategoriesInUse
            selection={linesOf(value.categories)}
            onChange={(names) => onChange({ ...value, categories: names.join('\n') })}
          />
          <Checkbox
            label={m.inStock}
            checked={value.inStock}
            onChange={(event) => onChange({ ...value, inStock: event.currentTarget.checked })}
          />
        </div>
      )}
    </>
  )
}
