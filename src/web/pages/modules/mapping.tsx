import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { z } from 'zod'
import type { MappedField } from '../../../schemas/item-fields.ts'
import type { FieldOwner, MappingBody, MappingPreviewResponse, MappingResponse } from '../../../schemas/mapping.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { useHasRole } from '../../app/session.tsx'
import { Badge } from '../../components/badge.tsx'
import { Confirm } from '../../components/confirm.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { Table } from '../../components/table.tsx'
import { toast } from '../../components/toast.tsx'
import { useUnsavedChanges } from '../../components/use-unsaved-changes.ts'
import { useMessages } from '../../i18n/language.tsx'
import { fieldLabels } from '../../products/field-labels.ts'
import { HiddenFields } from './hidden-fields.tsx'
import classes from './mapping.module.css'
import { modulesMessages } from './messages.ts'

type MappingData = z.infer<typeof MappingResponse>['data']
type Row = MappingData['fields'][number]
type Change = { field: MappedField; source?: string; owner?: FieldOwner }

/**
 * Which field of Zoho's items fills which field of a product, and who owns it; tried on a real item
 * before it is saved.
 */
export function Mapping() {
  const m = useMessages(modulesMessages)
  const query = useQuery({
    queryKey: ['zoho', 'mapping'],
    queryFn: ({ signal }) => request<{ data: MappingData }>(`${ZOHO}/mapping`, { signal }).then(({ data }) => data),
  })
  return (
    <Section title={m.mapping} description={m.mappingHint} flush>
      <QueryBoundary query={query} skeleton={<RowsSkeleton rows={8} />}>
        {(data) => <MappingForm key={data.changed_at ?? 'default'} mapping={data} />}
      </QueryBoundary>
    </Section>
  )
}

function MappingForm({ mapping }: { mapping: MappingData }) {
  const m = useMessages(modulesMessages)
  const labels = useMessages(fieldLabels)
  const client = useQueryClient()
  const mayChange = useHasRole('admin')
  const [changes, setChanges] = useState<ReadonlyMap<MappedField, Change>>(new Map())
  const [resetting, setResetting] = useState(false)
  useUnsavedChanges(changes.size > 0)
  const save = useMutation({
    mutationFn: (body: MappingBody) => request<unknown>(`${ZOHO}/mapping`, { method: 'PUT', body }),
    onSuccess: () => {
      setResetting(false)
      setChanges(new Map())
      void client.invalidateQueries({ queryKey: ['zoho', 'mapping'] })
      toast(m.mappingSaved)
    },
  })
  const shown = (row: Row) => ({ source: row.source, owner: row.owner, ...changes.get(row.field) })
  const change = (row: Row, patch: Partial<Change>) => {
    const next = new Map(changes)
    const { source, owner } = { ...shown(row), ...patch }
    if (source === row.source && owner === row.owner) next.delete(row.field)
    else next.set(row.field, { field: row.field, source, owner })
    setChanges(next)
  }
  const owners = [
    { value: 'zoho', label: m.ownerZoho },
    { value: 'erp', label: m.ownerErp },
    { value: 'first', label: m.ownerFirst },
  ]
  return (
    <>
      <Table
        label={m.mapping}
        rows={mapping.fields}
        rowKey={({ field }) => field}
        columns={[
          {
            key: 'field',
            header: m.field,
            cell: (row) => (
              <>
                <FieldName field={row.field} /> {changes.has(row.field) && <Badge tone="info">{m.changed}</Badge>}
              </>
            ),
          },
          {
            key: 'source',
            header: m.source,
            cell: (row) => (
              <NativeSelect
                className={classes.choice}
                size="xs"
                dir="ltr"
                aria-label={`${m.source}: ${labels[row.field]}`}
                disabled={!mayChange || !row.source_editable}
                value={shown(row).source}
                onChange={(event) => change(row, { source: event.currentTarget.value })}
                data={[...new Set([shown(row).source, ...mapping.sources])]}
              />
            ),
          },
          {
            key: 'owner',
            header: m.owner,
            cell: (row) => (
              <NativeSelect
                className={classes.choice}
                size="xs"
                aria-label={`${m.owner}: ${labels[row.field]}`}
                disabled={!mayChange}
                value={shown(row).owner}
                onChange={(event) => change(row, { owner: event.currentTarget.value as FieldOwner })}
                data={owners}
              />
            ),
          },
        ]}
      />
      <div className={classes.foot}>
        {save.error && !resetting && <ErrorCard error={save.error} />}
        <HiddenFields mapping={mapping} />
        <Preview changes={[...changes.values()]} />
        {mayChange && (
          <div className={classes.buttons}>
            {!mapping.is_default && (
              <Button size="xs" variant="default" onClick={() => setResetting(true)}>
                {m.reset}
              </Button>
            )}
            {changes.size > 0 && (
              <Button size="xs" variant="default" onClick={() => setChanges(new Map())}>
                {m.discard}
              </Button>
            )}
            <Button
              size="xs"
              disabled={changes.size === 0}
              loading={save.isPending}
              onClick={() => save.mutate({ fields: [...changes.values()], reset: false })}
            >
              {m.saveMapping}
            </Button>
          </div>
        )}
      </div>
      <Confirm
        opened={resetting}
        title={m.resetTitle}
        action={m.reset}
        pending={save.isPending}
        error={save.error}
        onConfirm={() => save.mutate({ fields: [], reset: true })}
        onClose={() => setResetting(false)}
      >
        <p>{m.resetText}</p>
      </Confirm>
    </>
  )
}

/** What the mapping, with the changes that are not saved yet, makes of a real item. */
function Preview({ changes }: { changes: Change[] }) {
  const m = useMessages(modulesMessages)
  const [sku, setSku] = useState('')
  const preview = useMutation({
    mutationFn: () =>
      request<z.infer<typeof MappingPreviewResponse>>(`${ZOHO}/mapping/preview`, {
        method: 'POST',
        body: { fields: changes, ...(sku.trim() !== '' && { sku: sku.trim() }) },
      }).then(({ data }) => data),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    preview.mutate()
  }
  return (
    <div className={classes.preview}>
      <form className={classes.form} onSubmit={submit}>
        <TextInput
          size="xs"
          aria-label={m.previewSku}
          placeholder={m.previewSku}
          value={sku}
          onChange={(event) => setSku(event.currentTarget.value)}
          className={classes.sku}
        />
        <Button type="submit" size="xs" variant="default" loading={preview.isPending}>
          {m.previewDo}
        </Button>
      </form>
      {preview.error && <ErrorCard error={preview.error} />}
      {preview.data && (
        <div className={classes.result} aria-live="polite">
          <p className={classes.of}>
            {m.previewOf} <Ltr mono>{preview.data.zoho_item_id}</Ltr>
          </p>
          <Table
            label={m.preview}
            rows={preview.data.fields}
            rowKey={({ field }) => field}
            columns={[
              { key: 'field', header: m.field, cell: ({ field }) => <FieldName field={field} /> },
              { key: 'zoho', header: m.zohoSays, cell: ({ zoho_value }) => <Value of={zoho_value} /> },
              { key: 'now', header: m.now, cell: ({ current_value }) => <Value of={current_value} /> },
              { key: 'after', header: m.afterSync, cell: ({ result }) => <Value of={result} /> },
              { key: 'changes', header: '', cell: ({ changes: will }) => (will ? <Badge tone="info">{m.changes}</Badge> : m.same) },
            ]}
          />
        </div>
      )}
    </div>
  )
}

/** As people call it, and as the API and the ERP's views do. */
function FieldName({ field }: { field: MappedField }) {
  const labels = useMessages(fieldLabels)
  return (
    <span className={classes.field}>
      {labels[field]} <Ltr mono>{field}</Ltr>
    </span>
  )
}

function Value({ of }: { of: string | null }) {
  const m = useMessages(modulesMessages)
  return of === null || of === '' ? <span className={classes.none}>{m.empty}</span> : <bdi>{of}</bdi>
}
