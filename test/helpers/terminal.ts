import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { stripVTControlCharacters } from 'node:util'
import { onTestFinished } from 'vitest'
import { childEnvironment } from './child-environment.ts'

export const DOWN = '\x1b[B'
export const CTRL_C = '\x03'

/** A program on a terminal of its own (`script` of util-linux makes one), as a person sees it. */
export function onTerminal(command: string, environment: Record<string, string>) {
  const child: ChildProcess = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...childEnvironment, TERM: 'xterm', SHELL: '/bin/sh', ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let screen = ''
  let bytes = ''
  child.stdout!.on('data', (chunk) => {
    bytes += String(chunk)
    screen += stripVTControlCharacters(String(chunk))
  })
  return {
    screen: () => screen,
    /** Everything with its control characters. */
    bytes: () => bytes,
    ended: once(child, 'exit') as Promise<[number | null]>,
    /**
     * Waits until the screen shows this beyond what was read before, and forgets what led there.
     */
    async until(text: string | RegExp): Promise<void> {
      const look = () => (typeof text === 'string' ? { at: screen.indexOf(text), length: text.length } : placeOf(text.exec(screen)))
      for (let found = look(); ; found = look()) {
        if (found.at >= 0) {
          screen = screen.slice(found.at + found.length)
          return
        }
        await once(child.stdout!, 'data')
      }
    },
    type: (keys: string) => child.stdin!.write(keys),
  }
}

const placeOf = (match: RegExpExecArray | null) => ({ at: match?.index ?? -1, length: match?.[0].length ?? 0 })
