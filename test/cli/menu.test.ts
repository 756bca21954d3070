import { expect } from 'vitest'
import { longTestOnLinux } from '../helpers/long.ts'
import { CTRL_C, DOWN, onTerminal } from '../helpers/terminal.ts'
import { startZinc } from '../helpers/zinc.ts'

longTestOnLinux('the menu runs what is chosen, comes back, and Ctrl-C ends it without a stack', async () => {
  const zinc = await startZinc()
  const menu = onTerminal(`${process.execPath} src/cli/main.ts menu`, zinc.environment)
  await menu.until('❯ Pull all changes')
  for (const next of ['Pull selected modules', 'Verify the files', 'Verify files only', 'Sync items', 'Status']) {
    menu.type(DOWN)
    await menu.until(`❯ ${next}`)
  }
  menu.type('\r')
  await menu.until('460000001') // the organisation, in what `zinc status` answers
  await menu.until('❯ Pull all changes')
  menu.type(CTRL_C)
  const [status] = await menu.ended
  expect(status).toBe(0)
  expect(menu.screen()).not.toMatch(/error|at .*\.js/i)
})
