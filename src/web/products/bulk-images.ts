import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { z } from 'zod'
import type { ManyAnswer, ManyOutcome, ManyQueued } from '../../schemas/images.ts'
import { call } from '../api/request.ts'

const MANY = '/api/products/images'
/** As many as one call takes. */
const AT_ONCE = 1_000

/** What became of all: how many were done, and what the first that failed says. */
export interface ManyResult {
  done: string[]
  failed: ManyOutcome[]
  /** The run that does the work, where it takes long. */
  runId: string | null
}

async function inParts(ids: string[], send: (part: string[]) => Promise<{ data: ManyOutcome[]; run_id?: string }>): Promise<ManyResult> {
  const result: ManyResult = { done: [], failed: [], runId: null }
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

/** Deletes, restores, makes again or fetches again the pictures of any products. */
export function useManyPictures() {
  const client = useQueryClient()
  const onSettled = () => {
    for (const key of ['products', 'product', 'coverage', 'runs']) void client.invalidateQueries({ queryKey: [key] })
  }
  const post = <Answer>(verb: string, body: object) => call<Answer>(`${MANY}/${verb}`, { method: 'POST', body })
  const answer = (verb: 'delete' | 'restore') => (ids: string[]) =>
    inParts(ids, (part) => post<z.infer<typeof ManyAnswer>>(verb, { ids: part }))
  return {
    remove: useMutation({ mutationFn: answer('delete'), onSettled }),
    restore: useMutation({ mutationFn: answer('restore'), onSettled }),
    regenerate: useMutation({
      mutationFn: (ids: string[]) => inParts(ids, (part) => post<z.infer<typeof ManyQueued>>('regenerate', { ids: part })),
      onSettled,
    }),
    refetch: useMutation({
      mutationFn: (products: string[]) => inParts(products, (part) => post<z.infer<typeof ManyQueued>>('refetch', { product_ids: part })),
      onSettled,
    }),
  }
}
