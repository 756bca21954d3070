import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test, vi } from 'vitest'
import { openTarget } from '../../src/backup/target.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { importStores } from '../../src/cli/store-import.ts'
import { parseConfig } from '../../src/config.ts'
import { readProductMap } from '../../src/images/import/product-map.ts'
import { makePrivateFolder } from '../../src/lib/data-dir.ts'
import { readNamedFile } from '../../src/lib/open-regular-file.ts'
import { readZohoConfig } from '../../src/settings/zoho-config-file.ts'
import { findImportPath } from '../../src/sync/items/file-source.ts'

let dir: string
/** Each would be waited for, or read, without end. */
let unreadable: string[]
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'zinc-pipes-'))
  const [pipe, socket, folder] = ['pipe', 'socket', 'folder'].map((name) => join(dir, name)) as [string, string, string]
  execFileSync('mkfifo', [pipe])
  await mkdir(folder)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  unreadable = [pipe, socket, folder, '/dev/zero']
  return async () => {
    server.close()
    await rm(dir, { recursive: true, force: true })
  }
})

const limits = { maxBytes: 1_000_000 }

test('a pipe, a socket, a device or a folder named as a file to import is refused in words', async () => {
  const readers = {
    readNamedFile,
    readProductMap,
    readZohoConfig,
    importStores: (path: string) => importStores({} as never, path, { tokens: `${path}.csv`, dryRun: false, expiresInDays: null }),
  }
  for (const path of unreadable) {
    for (const [name, read] of Object.entries(readers))
      await expect(read(path), `${name} ${path}`).rejects.toMatchObject({
        code: 'file_unusable',
        message: expect.stringMatching(/: it is a (folder|pipe or a device) and not a file$/),
      })
    await expect(findImportPath(path, limits)).rejects.toMatchObject({ code: 'import_file_not_found' })
  }
  await expect(readNamedFile(join(dir, 'nothing'))).rejects.toMatchObject({ code: 'path_not_found' })
})

test('image_mappings.json that is a pipe is refused, and the items beside it are not waited for', async () => {
  const folder = await mkdtemp(join(dir, 'items-'))
  await writeFile(join(folder, 'items.json'), '[]')
  execFileSync('mkfifo', [join(folder, 'image_mappings.json')])
  await expect(findImportPath(join(folder, 'items.json'), limits)).rejects.toMatchObject({ code: 'invalid_mappings' })
})

test('a dump and an archive that are a pipe or a device end the command, before a database is opened', async () => {
  const printed = vi.spyOn(console, 'log').mockImplementation(() => {})
  try {
    const environment = { DATA_DIR: join(dir, 'none') }
    for (const path of unreadable.filter((it) => !it.endsWith('folder')))
      for (const words of [
        ['db', 'restore'],
        ['images', 'import'],
      ])
        expect(await runCli(['--json', ...words, path], environment), `${words.join(' ')} ${path}`).toBe(2)
    expect(printed.mock.calls.map(([text]) => (JSON.parse(String(text)) as { code: string }).code)).toEqual(Array(6).fill('file_unusable'))
  } finally {
    printed.mockRestore()
  }
})

test.runIf(process.platform === 'linux')('a folder for backups that cannot be made or written is refused in words', async () => {
  const options = { bucketAccess: parseConfig({}).backup.s3, workDir: join(dir, 'work') }
  for (const path of [...unreadable.filter((it) => !it.endsWith('folder')), '/proc/zinc', '/proc/zinc/daily', '/dev/null/zinc'])
    await expect(openTarget(path, options), path).rejects.toMatchObject({
      code: 'invalid_backup_target',
      message: expect.stringContaining(`Backups cannot be kept in ${path}: it`),
    })
  await expect(makePrivateFolder('/proc/zinc/raw_json')).rejects.toMatchObject({ code: 'ENOENT' })
})
