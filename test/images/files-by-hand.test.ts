import { lstat, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { drawnImage } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

/** A scan waits for young files to settle; here that wait takes no time. */
const clock = { now: systemClock.now, sleep: (ms: number, stop?: AbortSignal) => systemClock.sleep(ms / 100, stop) }

longTest('a file put into images/item/ by hand is kept, found, and taken only where it is named', async () => {
  const { zoho, services, call, dataDir, sync } = await startZinc({ clock, synced: true })
  const folder = join(dataDir, 'images', 'item')
  const without = zoho.items().find((item) => item.image_document_id === '')!
  const shown = zoho.items().find((item) => item.image_document_id !== '')!
  const [linked] = (await readdir(folder)).filter((name) => name.startsWith(shown.item_id))
  const [mine, other, stray] = [await drawnImage(), await drawnImage(), await drawnImage()]
  await writeFile(join(folder, `${without.item_id}.png`), mine)
  // A person replaces what a link shows: as a file of its own, since the link is read-only.
  await writeFile(join(folder, `${shown.item_id}.png`), other)
  await writeFile(join(folder, '999999999999.png'), stray)
  const run = async (work: 'scan' | 'repair', body: object = {}) => {
    const reply = await call(`/api/media/integrity/${work}`, {
      method: 'POST',
      ...(work === 'repair' && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    const { run_id } = (await reply.json()) as { run_id: string }
    return (await services.runs.wait(run_id, AbortSignal.timeout(60_000))).state
  }
  const findings = async () =>
    (
      (await (await call('/api/media/integrity')).json()) as {
        data: { findings: { file: string; repair: string; sha256: string; products: { name: string }[] }[] }
      }
    ).data.findings

  await sync('?sync_images=true&mode=full')
  expect(await run('scan')).toBe('partial')
  const found = await findings()
  expect(found.map((it) => [it.file, it.repair, it.products.length]).sort()).toEqual(
    [
      [`${without.item_id}.png`, 'adopt', 1],
      [`${shown.item_id}.png`, 'adopt', 1],
      ['999999999999.png', 'upload_again', 0],
    ].sort(),
  )
  // Repairing everything takes no file that nobody named, and removes none.
  await run('repair')
  expect(await readFile(join(folder, `${without.item_id}.png`))).toEqual(mine)
  expect(await services.db.photo.count({ where: { product: { zoho_item_id: without.item_id } } })).toBe(0)

  expect(await run('repair', { sha256: found.filter((it) => it.repair === 'adopt').map((it) => it.sha256) })).toBe('success')

  const product = await services.db.product.findUniqueOrThrow({
    where: { zoho_item_id: shown.item_id },
    include: { photos: { where: { deleted_at: null }, orderBy: { sort_order: 'asc' } } },
  })
  expect(product.photos.map((it) => [it.source, it.is_primary])).toEqual([
    ['zoho', false],
    ['import', true],
  ])
  for (const [item, bytes] of [
    [without, mine],
    [shown, other],
  ] as const) {
    const path = join(folder, `${item.item_id}.png`)
    expect(await readFile(path)).toEqual(bytes)
    expect((await lstat(path)).nlink).toBeGreaterThan(1)
  }
  expect(await readdir(folder)).not.toContain(linked)
  expect((await findings()).map((it) => it.file)).toEqual(['999999999999.png'])
})
