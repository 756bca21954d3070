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
  { name: 'Pull everything that changed', value: 'fetch all' },
  { name: 'Pull some modules …', value: 'modules' },
  { name: 'Verify the files against Zoho', value: 'verify' },
  { name: 'Verify quickly, without a call', value: 'verify --quick' },
  { name: 'Sync the items and their pictures', value: 'sync items --images' },
  { name: 'Status', value: 'status' },
  { name: 'Sessions', value: 'sessions list' },
  { name: 'End', value: 'end' },
]

export function addMenu(program: Command, action: Action, run: RunCommand): void {
  program
    .command('menu')
    .description('choose what to do, again and again, until you end it')
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
            const full = await confirm({ message: 'List everything again, instead of what changed?', default: false }, prompt)
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
