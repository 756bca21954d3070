import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { z } from 'zod'
import type { BulkOutcome, BulkQueued, BulkResponse } from '../../schemas/images.ts'
import { request } from '../api/request.ts'

const MANY = '/api/products/images'
/** As many as one call takes. */
const AT_ONCE = 1_000

/** What became of all: how many were done, and what the first that failed says. */
export interface BulkResult {
  done: string[]
  failed: BulkOutcome[]
  /** The run that does the work, where it takes long. */
  runId: string | null
}

async function inParts(ids: string[], send: (part: string[]) => Promise<{ data: BulkOutcome[]; run_id?: string }>): Promise<BulkResult> {
  const result: BulkResult = { done: [], failed: [], runId: null }
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const { data, run_id } = await send(ids.slice(from, from + AT_ONCE))
    for (const outcome of data) {
      if (outcome.status === 'done') result.done.push(outcome.id)
      else result.failed.push(outcome)
    }
    result.runId = run_id ?? result.runId
  }
  return result
}

/** The same texts for all, or the products' names where there is none. */
export type BulkAltTexts = { from_product_name: true } | { alt_en?: string; alt_ar?: string }

/** Deletes, restores, makes again or fetches again the images of any products. */
export function useBulkImages() {
  const client = useQueryClient()
  const onSettled = () => {
    for (const key of ['products', 'product', 'coverage', 'runs', 'media']) void client.invalidateQueries({ queryKey: [key] })
  }
  const post = <Answer>(verb: string, body: object) => request<Answer>(`${MANY}/${verb}`, { method: 'POST', body })
  const response = (verb: 'delete' | 'restore') => (ids: string[]) =>
    inParts(ids, (part) => post<z.infer<typeof BulkResponse>>(verb, { ids: part }))
  return {
    remove: useMutation({ mutationFn: response('delete'), onSettled }),
    restore: useMutation({ mutationFn: response('restore'), onSettled }),
    describe: useMutation({
      mutationFn: ({ ids, texts }: { ids: string[]; texts: BulkAltTexts }) =>
        inParts(ids, (part) => post<z.infer<typeof BulkResponse>>('alt-text', { ids: part, ...texts })),
      onSettled,
    }),
    regenerate: useMutation({
      mutationFn: (ids: string[]) => inParts(ids, (part) => post<z.infer<typeof BulkQueued>>('regenerate', { ids: part })),
      onSettled,
    }),
    refetch: useMutation({
      mutationFn: (products: string[]) => inParts(products, (part) => post<z.infer<typeof BulkQueued>>('refetch', { product_ids: part })),
      onSettled,
    }),
  }
}
