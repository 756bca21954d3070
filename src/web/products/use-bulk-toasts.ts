import { useLocation } from 'wouter'
import { HOME } from '../app/paths.ts'
import { commonMessages } from '../components/messages.ts'
import { toast, toastWithUndo } from '../components/toast.tsx'
import { useMessages } from '../i18n/language.tsx'
import type { BulkResult, useBulkImages } from './bulk-images.ts'
import { bulkMessages } from './bulk-messages.ts'

/**
 * What is told once many images were worked on: a way to the run that was started, a way back
 * from a delete.
 */
export function useBulkToasts(restore: ReturnType<typeof useBulkImages>['restore']) {
  const m = useMessages(bulkMessages)
  const common = useMessages(commonMessages)
  const [, navigate] = useLocation()
  return {
    started: (words: (count: { count: number }) => string) => ({
      onSuccess: ({ done, runId }: BulkResult) =>
        toastWithUndo(words({ count: done.length }), { label: m.openRun, act: () => navigate(`${HOME}/runs/${runId}`) }),
    }),
    removed: ({ done }: BulkResult) =>
      toastWithUndo(m.removed({ count: done.length }), {
        label: common.undo,
        act: () => restore.mutate(done, { onSuccess: (back) => toast(m.restored({ count: back.done.length })) }),
      }),
  }
}
