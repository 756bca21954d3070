import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { childEnvironment } from './child-environment.ts'

const run = promisify(execFile)

/** The command line as a person calls it: a process of its own, started from source. */
export async function runZinc(
  args: string[],
  environment: Record<string, string> = {},
): Promise<{ status: number; stdout: string; stderr: string }> {
  return run(process.execPath, ['src/cli/main.ts', ...args], { env: { ...childEnvironment, ...environment } }).then(
    ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({ status: error.code, stdout: error.stdout, stderr: error.stderr }),
  )
}
