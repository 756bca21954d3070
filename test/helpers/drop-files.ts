import type { Locator } from 'playwright-core'

/** Drags files from outside over an element and drops them, as the browser tells a page of it. */
export async function dropFiles(target: Locator, files: { name: string; type: string; bytes: Buffer }[]): Promise<void> {
  const given = files.map(({ name, type, bytes }) => ({ name, type, base64: bytes.toString('base64') }))
  // As text: these are the browser's own classes, which the server's types do not know.
  const dataTransfer = await target.page().evaluateHandle(`(() => {
    const transfer = new DataTransfer()
    for (const { name, type, base64 } of ${JSON.stringify(given)})
      transfer.items.add(new File([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))], name, { type }))
    return transfer
  })()`)
  for (const event of ['dragenter', 'dragover', 'drop']) await target.dispatchEvent(event, { dataTransfer })
  await dataTransfer.dispose()
}
