import { checkbox, confirm, select } from '@inquirer/prompts'
import type { Command } from 'commander'
import { BadRequestError } from '../lib/errors.ts'
import { PULL_MODULES } from '../schemas/pulls.ts'
import type { Action, ExitStatus } from './context.ts'
import { isPromptCancelled } from './prompt-password.ts'

/** Runs another command line in this process: the menu has no code of its own for it. */
type RunCommand = (argv: string[]) => Promise<ExitStatus>

/** The choices: command lines as people would type them. */
const CHOICES = [
  { name: 'Pull all changes', value: 'fetch all' },
  { name: 'Pull selected modules …', value: 'modules' },
  { name: 'Verify the files against Zoho', value: 'verify' },
  { name: 'Verify files only, without API calls', value: 'verify --quick' },
  { name: 'Sync items and images', value: 'sync items --images' },
  { name: 'Status', value: 'status' },
  { name: 'Sessions', value: 'sessions list' },
  { name: 'Quit', value: 'end' },
]

export function addMenu(program: Command, action: Action, run: RunCommand): void {
  program
    .command('menu')
    .description('open an interactive menu')
    .action(
      action(async (context): Promise<ExitStatus> => {
        if (!process.stdin.isTTY || !process.stdout.isTTY) throw new BadRequestError('tty_required')
        const prompt = { signal: context.signal }
        let status: ExitStatus = 0
        try {
          for (;;) {
            const choice = await select({ message: 'zinc', choices: CHOICES }, prompt)
            if (choice === 'end') return status
            if (choice !== 'modules') {
              status = await run(choice.split(' '))
              continue
            }
            const modules = await checkbox({ message: 'Which?', choices: PULL_MODULES.map((value) => ({ value })) }, prompt)
            const full = await confirm({ message: 'Run a full pull instead of changes only?', default: false }, prompt)
            if (modules.length > 0) status = await run(['fetch', ...modules, ...(full ? ['--full'] : [])])
          }
        } catch (error) {
          // Ctrl-C also ends the menu.
          if (isPromptCancelled(error)) return status
          throw error
        }
      }),
    )
}
