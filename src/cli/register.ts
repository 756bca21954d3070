import type { Command } from 'commander'
import type { Action, ExitStatus } from './context.ts'

interface Line {
  argv: string[]
  /** Runs another command line, as the menu does. */
  runLine(argv: string[]): Promise<ExitStatus>
}
type Add = (program: Command, action: Action, line: Line) => void

/** In the order of the help; the words are the commands of each file. */
const FILES: { words: string[]; load(): Promise<Add> }[] = [
  { words: ['config'], load: async () => (await import('./config.ts')).addConfig },
  { words: ['migrate', 'db'], load: async () => (await import('./database.ts')).addDatabase },
  { words: ['fetch'], load: async () => (await import('./fetch.ts')).addFetch },
  { words: ['verify'], load: async () => (await import('./verify.ts')).addVerify },
  { words: ['status'], load: async () => (await import('./status.ts')).addStatus },
  { words: ['sessions'], load: async () => (await import('./sessions.ts')).addSessions },
  { words: ['export'], load: async () => (await import('./export.ts')).addExport },
  {
    words: ['menu'],
    load: async () => {
      const { addMenu } = await import('./menu.ts')
      return (program, action, { runLine }) => addMenu(program, action, runLine)
    },
  },
  { words: ['sync'], load: async () => (await import('./sync.ts')).addSync },
  { words: ['import'], load: async () => (await import('./import.ts')).addImport },
  { words: ['images'], load: async () => (await import('./images.ts')).addImages },
  { words: ['store'], load: async () => (await import('./store.ts')).addStore },
  { words: ['token'], load: async () => (await import('./token.ts')).addToken },
  { words: ['edge'], load: async () => (await import('./edge-commands.ts')).addEdge },
  { words: ['login', 'user'], load: async () => (await import('./users.ts')).addUsers },
  { words: ['demo'], load: async () => (await import('./demo.ts')).addDemo },
  { words: ['keys'], load: async () => (await import('./keys.ts')).addKeys },
]

/**
 * Adds the commands that the line may mean: those whose word is in it, all of them when none is
 * (help, a wrong word). Loading all takes longer than an edge server's whole check for changes.
 */
export async function addCommands(program: Command, action: Action, line: Line): Promise<void> {
  const meant = FILES.filter(({ words }) => words.some((word) => line.argv.includes(word)))
  const adds = await Promise.all((meant.length > 0 ? meant : FILES).map(({ load }) => load()))
  for (const add of adds) add(program, action, line)
}
