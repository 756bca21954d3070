import type { CallPurpose } from '../../../schemas/quota.ts'
import { useMessages } from '../../i18n/language.tsx'
import { overviewMessages } from './messages.ts'

/** What calls to Zoho are for, in words. */
export function usePurposeNames(): Record<CallPurpose, string> {
  const m = useMessages(overviewMessages)
  return {
    items: m.jobItems,
    images: m.jobImages,
    rechecks: m.jobRechecks,
    stock: m.jobStock,
    price_lists: m.jobPriceLists,
    groups: m.jobGroups,
    records: m.jobPull,
    tests: m.jobTest,
  }
}

/** The same for the name that the log has for a call; one that is not known yet as it is. */
export function useJobName(): (job: string) => string {
  const m = useMessages(overviewMessages)
  const names: Record<string, string> = {
    ...usePurposeNames(),
    image: m.jobImages,
    recheck: m.jobRechecks,
    organization: m.jobOrganization,
    pull: m.jobPull,
    test: m.jobTest,
    crm: m.jobCrm,
  }
  return (job) => names[job] ?? job
}
