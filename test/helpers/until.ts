import { setTimeout as pause } from 'node:timers/promises'

/** Looks often until something of another process has happened; the test's own time limit ends it. */
export async function until(happened: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await happened())) await pause(10)
}
