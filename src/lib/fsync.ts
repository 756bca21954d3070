import { open } from 'node:fs/promises'

/**
 * Makes what was written to a file, or to a folder (a new name, a renamed file), durable against a
 * crash of the machine.
 */
export async function fsyncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
