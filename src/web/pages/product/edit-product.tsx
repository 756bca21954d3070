import { Button, NativeSelect, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import Pencil from 'lucide-react/icons/pencil'
import { type FormEvent, useState } from 'react'
import { Link } from 'wouter'
import type { z } from 'zod'
import type { MappedField } from '../../../schemas/item-fields.ts'
import type { MappingResponse, ProductPatch } from '../../../schemas/mapping.ts'
import type { Product } from '../../../schemas/products.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { HOME } from '../../app/paths.ts'
import { Dialog } from '../../components/dialog.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { commonMessages } from '../../components/messages.ts'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { toast } from '../../components/toast.tsx'
import { useUnsavedChanges } from '../../components/use-unsaved-changes.ts'
import { useMessages } from '../../i18n/language.tsx'
import { fieldLabels } from '../../products/field-labels.ts'
import classes from './edit-product.module.css'
import { productMessages } from './messages.ts'
import { productKey } from './use-gallery.ts'

type Mapping = z.infer<typeof MappingResponse>['data']
const DECIMAL = '-?[0-9]{1,18}([.][0-9]{1,6})?'
const DECIMALS: ReadonlySet<MappedField> = new Set([
  'cost_price',
  'selling_price',
  'stock_on_hand',
  'tax_percentage',
  'reorder_level',
  'length',
  'width',
  'height',
  'weight',
])

/** The value of a field as a form shows it; related fields are in one object of the API. */
function textOf(product: Product, field: MappedField): string {
  const { dimensions, weight, tax } = product
  const nested: Partial<Record<MappedField, string | null | undefined>> = {
    category: product.category?.name,
    tax_name: tax?.name,
    tax_percentage: tax?.percentage,
    length: dimensions?.length,
    width: dimensions?.width,
    height: dimensions?.height,
    dimension_unit: dimensions?.unit,
    weight: weight?.value,
    weight_unit: weight?.unit,
  }
  const value = field in nested ? nested[field] : product[field as keyof Product]
  return typeof value === 'string' ? value : ''
}

/** Edits the fields that the ERP owns; Zoho's are changed in Zoho. */
export function EditProduct({ product }: { product: Product }) {
  const m = useMessages(productMessages)
  const [opened, setOpened] = useState(false)
  const query = useQuery({
    queryKey: ['zoho', 'mapping'],
    enabled: opened,
    queryFn: ({ signal }) => request<{ data: Mapping }>(`${ZOHO}/mapping`, { signal }).then(({ data }) => data),
  })
  const close = () => setOpened(false)
  return (
    <>
      <Button variant="default" leftSection={<Pencil size={15} aria-hidden />} onClick={() => setOpened(true)}>
        {m.edit}
      </Button>
      <Dialog opened={opened} onClose={close} title={m.editTitle} size="lg" closeOnClickOutside={false}>
        <QueryBoundary query={query} skeleton={<BlockSkeleton height={240} />}>
          {({ fields }) => {
            const editable = fields.filter(({ owner }) => product.origin !== 'zoho' || owner !== 'zoho').map(({ field }) => field)
            return editable.length === 0 ? (
              <p className={classes.none}>
                {m.nothingToEdit} <Link href={`${HOME}/modules?tab=mapping`}>{m.toMapping}</Link>
              </p>
            ) : (
              <EditForm product={product} fields={editable} onSaved={close} />
            )
          }}
        </QueryBoundary>
      </Dialog>
    </>
  )
}

function EditForm({ product, fields, onSaved }: { product: Product; fields: MappedField[]; onSaved(): void }) {
  const m = useMessages(productMessages)
  const labels = useMessages(fieldLabels)
  const common = useMessages(commonMessages)
  const client = useQueryClient()
  const [values, setValues] = useState<Partial<Record<MappedField, string>>>({})
  const changed = fields.filter((field) => values[field] !== undefined && values[field] !== textOf(product, field))
  useUnsavedChanges(changed.length > 0)
  const save = useMutation({
    // What is emptied is blank, which is not the same as ''.
    mutationFn: () =>
      request<unknown>(`/api/products/${encodeURIComponent(product.id)}`, {
        method: 'PATCH',
        body: Object.fromEntries(changed.map((field) => [field, values[field]?.trim() || null])) as ProductPatch,
      }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: productKey(product.id) })
      void client.invalidateQueries({ queryKey: ['products'] })
      void client.invalidateQueries({ queryKey: ['coverage'] })
      toast(m.saved)
      onSaved()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    save.mutate()
  }
  const input = (field: MappedField) => {
    const label = labels[field]
    const value = values[field] ?? textOf(product, field)
    const change = (text: string) => setValues({ ...values, [field]: text })
    if (field === 'status')
      return (
        <NativeSelect
          key={field}
          label={label}
          value={value}
          onChange={(event) => change(event.currentTarget.value)}
          data={[
            { value: 'active', label: m.active },
            { value: 'inactive', label: m.inactiveShort },
          ]}
        />
      )
    if (field === 'description')
      return (
        <Textarea
          key={field}
          label={label}
          rows={4}
          dir="auto"
          className={classes.wide ?? ''}
          value={value}
          onChange={(event) => change(event.currentTarget.value)}
        />
      )
    return (
      <TextInput
        key={field}
        label={label}
        required={field === 'name'}
        dir="auto"
        {...(DECIMALS.has(field) && { inputMode: 'decimal', pattern: DECIMAL, title: m.decimalHint, dir: 'ltr' })}
        value={value}
        onChange={(event) => change(event.currentTarget.value)}
      />
    )
  }
  return (
    <form onSubmit={submit} className={classes.form}>
      <p className={classes.hint}>{product.zoho_item_id === null ? m.editHintOwn : m.editHint}</p>
      <div className={classes.fields}>{fields.map(input)}</div>
      {save.error && <ErrorCard error={save.error} />}
      <Button type="submit" disabled={changed.length === 0} loading={save.isPending} className={classes.save ?? ''}>
        {common.save}
      </Button>
    </form>
  )
}
