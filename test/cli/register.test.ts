import { Command } from 'commander'
import { expect, test } from 'vitest'
import type { Action } from '../../src/cli/context.ts'
import { addCommands } from '../../src/cli/register.ts'

const action: Action = () => async () => {}
const namesFor = async (argv: string[]) => {
  const program = new Command('zinc')
  await addCommands(program, action, { argv, runLine: async () => 0 })
  return program.commands.map((command) => command.name())
}

test('every command is found by its own word, also behind options, and all of them stand in the help', async () => {
  const all = await namesFor(['--help'])
  expect(all).toEqual(
    expect.arrayContaining(['sync', 'images', 'fetch', 'verify', 'status', 'menu', 'edge', 'store', 'login', 'user', 'db']),
  )
  for (const name of all) expect(await namesFor(['--log-level', 'INFO', name, '--help'])).toContain(name)
  expect(await namesFor(['edge', 'pull'])).toEqual(['edge'])
  expect(await namesFor(['no-such-command'])).toEqual(all)
})
