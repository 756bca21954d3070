import { setTimeout as pause } from 'node:timers/promises'

/**
 * Looks until something of another process has happened; the test's own time limit ends it. Most
 * looks are queries, and twenty a second already cost a core some percent.
 */
export async function waitFor(happened: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await happened())) await pause(50)
}
