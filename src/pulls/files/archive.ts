import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Readable } from 'node:stream'
import { ZipFile } from 'yazl'

/**
 * Returns a session folder as one ZIP, read from the disk while it is sent, so that any size needs
 * little memory. Files with a leading dot are left out.
 */
export async function archiveOf(root: string, name: string): Promise<Readable> {
  const zip = new ZipFile()
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.startsWith('.')) continue
    const path = join(entry.parentPath, entry.name)
    zip.addFile(path, join(name, relative(root, path)))
  }
  zip.end()
  return zip.outputStream as Readable
}
