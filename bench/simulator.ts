import { createSeed } from '../src/zoho-simulator/seed.ts'
import { startZohoSimulator } from '../src/zoho-simulator/simulator.ts'

// A Zoho in a process of its own, so that its memory and its work are not counted as zinc's.
// Arguments: the numbers of items and of invoices.
const zoho = await startZohoSimulator({
  items: createSeed({ count: Number(process.argv[2]) }).map((item) => ({ ...item, image_document_id: '', image_name: '' })),
  books: { invoices: Number(process.argv[3] ?? 0) },
})
console.log(zoho.url)
process.once('SIGTERM', () => process.exit(0))
