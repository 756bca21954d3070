import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, vi } from 'vitest'
import { runCli } from '../../src/cli/run-cli.ts'
import { drawnImage } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

/** Runs `zinc images …` and answers its exit status and its JSON. */
async function images(environment: Record<string, string>, ...argv: string[]) {
  const said = vi.spyOn(console, 'log').mockImplementation(() => {})
  try {
    const status = await runCli(['--json', 'images', ...argv], { ...environment })
    return { status, answer: JSON.parse(String(said.mock.calls.at(-1)?.[0] ?? '{}')) as Record<string, unknown> }
  } finally {
    said.mockRestore()
  }
}

longTest('zinc images: a folder is taken, damage is found and repaired, and the exit status tells a script', async () => {
  const { environment, dataDir, services } = await startZinc({ synced: true })
  const bare = await services.db.product.findFirstOrThrow({ where: { photos: { none: {} }, sku: { not: '' } } })
  const folder = await mkdtemp(join(tmpdir(), 'zinc-import-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await mkdir(join(folder, bare.sku ?? ''))
  await writeFile(join(folder, bare.sku ?? '', 'front.png'), await drawnImage())

  expect(await images(environment, 'import', folder, '--dry-run')).toMatchObject({
    status: 0,
    answer: { matched: [{ product_id: bare.id }] },
  })
  expect(await services.db.photo.count({ where: { product_id: bare.id } })).toBe(0)
  expect(await images(environment, 'import', folder)).toMatchObject({ status: 0, answer: { status: 'success', counts: { matched: 1 } } })
  expect(await services.db.photo.count({ where: { product_id: bare.id, source: 'import', is_primary: true } })).toBe(1)
  await symlink('/etc/hostname', join(folder, bare.sku ?? '', 'link.png'))
  await writeFile(join(folder, 'nobody.png'), await drawnImage())
  // A name in Latin-1, as old disks have them, which no UTF-8 can ask for.
  await writeFile(Buffer.concat([Buffer.from(join(folder, bare.sku ?? '', 'caf')), Buffer.from([0xe9, 0x2e, 0x70, 0x6e, 0x67])]), 'x')
  expect(await images(environment, 'import', folder)).toMatchObject({
    status: 1,
    answer: { counts: { matched: 1, unmatched: 1, unreadable: 2 }, unreadable: [{ code: 'file_not_readable' }, { code: 'symbolic_link' }] },
  })
  expect(await images(environment, 'import', join(folder, 'nothing'))).toMatchObject({ status: 2, answer: { code: 'path_not_found' } })

  expect(await images(environment, 'verify')).toMatchObject({ status: 0 })
  const { sha256 } = await services.db.photo.findFirstOrThrow({ where: { source: 'zoho' } })
  const file = join(dataDir, 'images', 'originals', sha256.slice(0, 2), sha256)
  await chmod(file, 0o644)
  await writeFile(file, 'flipped')
  expect(await images(environment, 'verify')).toMatchObject({ status: 1, answer: { counts: { wrong_hash: 1 } } })
  expect(await images(environment, 'verify', '--repair')).toMatchObject({ status: 0, answer: { repaired: 1, counts: { wrong_hash: 0 } } })
  expect(await images(environment, 'migrate-storage')).toMatchObject({ status: 0, answer: { copied: 0 } })
  expect(await images(environment, 'thumbnails', '--all')).toMatchObject({ status: 0, answer: { failed: 0 } })
})
