export interface FailureCause {
  /** What happened, for the owner of a shop. */
  cause: string
  remedy: string
  /** Whether trying again can help. */
  retryable: boolean
}

const image = (cause: string, remedy: string): FailureCause => ({ cause, remedy, retryable: true })

/** The causes in words, by their code. */
const CAUSES: Record<string, FailureCause> = {
  not_an_image: image('What Zoho sent is not a picture', 'Open the item in Zoho and attach its picture again; then retry.'),
  truncated: image('The picture breaks off', 'Retry; if it stays, attach the picture again in Zoho.'),
  corrupt: image('The picture is damaged', 'Attach the picture again in Zoho, saved anew; then retry.'),
  no_image_bytes: image('Zoho sent a page instead of the picture', 'Retry; if it stays, see status.zoho.com.'),
  too_many_pixels: image('The picture has too many pixels', 'Make it smaller in Zoho, or raise MAX_INPUT_PIXELS; then retry.'),
  side_too_long: image('A side of the picture is too long', 'Make it smaller in Zoho; 12,000 pixels is the most.'),
  unsupported_format: image('The format of the picture is not taken', 'Use JPEG, PNG, WebP, GIF, AVIF or BMP.'),
  image_too_large: image('The file of the picture is too large', 'Make it smaller, or raise MAX_UPLOAD_BYTES; then retry.'),
  decoder_crash: image('The picture breaks the decoder', 'Save it anew with another program and attach that in Zoho.'),
  incomplete: image('The picture did not arrive whole', 'Retry; the line to Zoho broke off.'),
  download_failed: image('The picture did not arrive whole', 'Retry; the line to Zoho broke off.'),
  image_url_failed: image('The server of the picture did not send it', 'Open the address in a browser; retry, or name another one.'),
  image_url_blocked: {
    cause: 'The address of the picture is not one that zinc may fetch',
    remedy: 'Use a public address, or name its host in IMAGE_URL_ALLOWLIST.',
    retryable: false,
  },
  crm_module_missing: {
    cause: 'Zoho CRM does not have this module',
    remedy: 'If it is needed, show it in Zoho CRM under Setup, Modules and Fields. Else nothing is to be done.',
    retryable: false,
  },
  placeholder_image: {
    cause: 'The address is one of a placeholder service: the item has no picture',
    remedy: 'Name a real picture.',
    retryable: false,
  },
  sku_conflict: { cause: 'Items share one SKU', remedy: 'Give one of them another SKU in Zoho; then retry.', retryable: true },
  invalid_item: { cause: 'An item in Zoho cannot be read', remedy: 'Open it in Zoho and save it again; then retry.', retryable: true },
  invalid_file_item: {
    cause: 'A record of the file cannot be read',
    remedy: 'Mend the record and import the file again.',
    retryable: false,
  },
  file_item_repeated: {
    cause: 'Records of the file have the same id',
    remedy: 'Check the ids in the file: a spreadsheet may have changed them. The last record was taken.',
    retryable: false,
  },
  bad_mapping: {
    cause: 'An entry of image_mappings.json cannot be read',
    remedy: 'Write it as "<zoho_item_id>": "<url>" and import the file again.',
    retryable: false,
  },
  invalid_price: {
    cause: 'A price is a text that is no number',
    remedy: 'Correct the price in Zoho. Until then the item keeps the price that it had.',
    retryable: true,
  },
  item_id_refused: {
    cause: 'Zoho does not take the id of a product, which came from a file',
    remedy: 'Import the file again with right ids, and delete the product: DELETE /api/products/{id}.',
    retryable: false,
  },
  mass_delete_stopped: {
    cause: 'More than a fifth of the items would be removed',
    remedy: 'Check the items in Zoho. If it is right, run a full sync with confirm_removals=true.',
    retryable: false,
  },
  list_missing_items: {
    cause: "Zoho's list left out items that it has",
    remedy: 'Nothing is lost. Run a full sync; if it stays, tell Zoho support.',
    retryable: false,
  },
}

/** The words for a code; for one that is not in the table, its own message. */
export function causeOf(code: string, stage: string, message: string): FailureCause {
  return CAUSES[code] ?? { cause: message, remedy: 'Retry; if it stays, the log names it under its run.', retryable: stage === 'image' }
}

export const RETRYABLE_ITEM_CODES = ['invalid_item', 'invalid_price', 'sku_conflict']
