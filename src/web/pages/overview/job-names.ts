import { useMessages } from '../../i18n/language.tsx'
import { overviewMessages } from './messages.ts'

/** What a call to Zoho was for, in words; a job that is not known yet as it is. */
export function useJobName(): (job: string) => string {
  const m = useMessages(overviewMessages)
  const names: Record<string, string> = {
    items: m.jobItems,
    image: m.jobImages,
    organization: m.jobOrganization,
    pull: m.jobPull,
    test: m.jobTest,
    removals: m.jobRemovals,
    crm: m.jobCrm,
  }
  return (job) => names[job] ?? job
}
