import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { PULL } from '../../src/pulls/checkpoint.ts'
import type { ZohoSimulator } from '../../src/zoho-simulator/simulator.ts'
import type { TestZinc } from './zinc.ts'

/** A folder for a predecessor's files; it is gone when the test ends. */
export async function oldWorld(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'moving-old-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

export interface ImporterItem {
  zoho_item_id: string
  code: string
  name: string
  image_path: string | null
  [field: string]: unknown
}

/**
 * What the ERP importer kept below `app/data`: its records, which name no currency, and the images
 * beside them.
 */
export async function writeImporterData(
  folder: string,
  zoho: ZohoSimulator,
  { byId = false, change = (it) => it }: { byId?: boolean; change?(item: ImporterItem): ImporterItem } = {},
): Promise<{ file: string; records: ImporterItem[] }> {
  await mkdir(join(folder, 'images', 'item'), { recursive: true })
  const records: ImporterItem[] = []
  for (const item of zoho.items()) {
    const hasImage = item.image_document_id !== ''
    if (hasImage) await writeFile(join(folder, 'images', 'item', `${item.item_id}.jpg`), await zoho.imageBytes(item.item_id))
    records.push(
      change({
        zoho_item_id: item.item_id,
        code: item.sku,
        name: item.name,
        name_ar: item.name,
        description: item.description,
        brand: item.brand,
        model: null,
        unit: item.unit,
        cost_price: item.purchase_rate,
        selling_price: item.rate,
        reorder_level: 0,
        is_active: item.status === 'active',
        specifications: { category: item.category, tax_id: '', hsn_or_sac: null, item_type: 'inventory', source: '' },
        unique_id: `made-up-${item.item_id}`,
        zoho_sync_date: '2025-11-01T00:00:00',
        image_path: hasImage ? `images/item/${item.item_id}.jpg` : null,
      }),
    )
  }
  const file = join(folder, 'tsh_item_records.json')
  await writeFile(file, JSON.stringify(byId ? Object.fromEntries(records.map((it) => [it.zoho_item_id, it])) : records))
  return { file, records }
}

/**
 * What the Books puller kept as `raw_json/<stamp>/`: Zoho's records as Python writes them, without a
 * manifest. They are pulled once by zinc, which then forgets them: database and files are empty.
 */
export async function writePullerData(folder: string, zinc: TestZinc, stamp = '2025-11-02_03-00-00'): Promise<string> {
  const { db, runs } = zinc.services
  const { run_id } = await runs.start(PULL, { session: false }, { startedBy: 'test' })
  const run = await runs.wait(run_id, AbortSignal.timeout(120_000))
  if (run.state !== 'success') throw new Error(`the pull that the predecessor stands for ended as ${run.state}: ${run.cause}`)
  const rawDir = join(zinc.dataDir, 'raw_json')
  const [pulled] = (await readdir(rawDir)).filter((name) => !name.startsWith('.'))
  const target = join(folder, 'raw_json', stamp)
  await mkdir(target, { recursive: true })
  for (const name of await readdir(join(rawDir, pulled!))) {
    if (name.startsWith('.')) continue
    const records: unknown = JSON.parse(await readFile(join(rawDir, pulled!, name), 'utf8'))
    await writeFile(join(target, name), JSON.stringify(records, null, 2))
  }
  await rm(rawDir, { recursive: true })
  await db.zohoRecord.deleteMany()
  await db.pullModule.deleteMany()
  return join(folder, 'raw_json')
}
