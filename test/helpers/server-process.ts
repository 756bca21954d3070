import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { childEnvironment } from './child-environment.ts'
import type { Fault, StepEvent } from './fault-preload.ts'
import { login } from './zinc.ts'

const PRELOAD = fileURLToPath(new URL('./fault-preload.ts', import.meta.url))

export interface ServerProcess {
  child: ChildProcess
  url: string
  /** Resolves with the exit status; null after a signal. */
  ended: Promise<number | null>
}

/** The real program in a process of its own. A test that fails does not leave it behind. */
function spawnServer(environment: Record<string, string>, nodeOptions: string[] = []): ChildProcess {
  const child = spawn(process.execPath, [...nodeOptions, 'src/server.ts'], {
    env: { ...childEnvironment, ...environment },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

const endOf = (child: ChildProcess) => new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))

async function listening(child: ChildProcess): Promise<ServerProcess> {
  const ended = endOf(child)
  let said = ''
  for await (const chunk of child.stdout!) {
    said += String(chunk)
    const url = /listens on (\S+)/.exec(said)?.[1]
    if (url) return { child, url, ended }
  }
  throw new Error(`the server ended before it listened: ${said}`)
}

/** Resolves when it says where it listens. */
export const startServerProcess = (environment: Record<string, string>): Promise<ServerProcess> => listening(spawnServer(environment))

export interface FaultyServer extends ServerProcess {
  /** Sets the next fault and begins a new trace; null: none. */
  arm(fault: Fault | null): Promise<void>
  /** What happened since the arming, and whether the fault's turn came. */
  tell(): Promise<{ events: StepEvent[]; hit: boolean }>
}

/** The same with steps that can be made to fail, and tell their order; see fault-preload.ts. */
export async function startFaultyServer(environment: Record<string, string>): Promise<FaultyServer> {
  const server = await listening(spawnServer(environment, ['--import', PRELOAD]))
  const ask = async <T>(question: object): Promise<T> => {
    const response = once(server.child, 'message')
    server.child.send(question)
    return ((await response) as [T])[0]
  }
  return {
    ...server,
    arm: async (fault) => void (await ask({ arm: fault })),
    tell: () => ask({ tell: true }),
  }
}

/**
 * Starts one that is killed at that step, and waits for its death; answers its process id. `over`
 * tells that the step can come no more.
 */
export async function runUntilKilled(environment: Record<string, string>, fault: Fault, over: () => Promise<boolean>): Promise<number> {
  const child = spawnServer({ ...environment, FAULT: JSON.stringify(fault) }, ['--import', PRELOAD])
  child.stdout!.resume()
  const ended = endOf(child)
  const looking = setInterval(() => void over().then((it) => it && child.kill('SIGTERM')), 500)
  await ended
  clearInterval(looking)
  if (child.signalCode !== 'SIGKILL') throw new Error(`the server was not killed at ${fault.step} ${fault.nth}`)
  return child.pid!
}

/** Starts a sync with pictures there and answers its run's id at once. */
export async function startRunAt(url: string, token?: string): Promise<string> {
  const response = await fetch(`${url}/api/settings/integrations/zoho/sync/item/execute?sync_images=true&wait=false`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token ?? (await login(url))}` },
  })
  if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`)
  return ((await response.json()) as { run_id: string }).run_id
}
