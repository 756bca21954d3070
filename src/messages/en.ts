import { VARIANT_NAMES } from '../facts/variants.ts'
import { type Catalogue, megabytes, type Part, remedyOf, render } from './message.ts'

/** A message or text within another one. */
const text = (part: Part): string => (typeof part === 'string' ? part : (render(MESSAGES, part) ?? part.code))

/** The same, and what to do. */
const withRemedy = (part: Part): string => (typeof part === 'string' ? part : lines(text(part), remedyOf(MESSAGES, part)))
const lines = (...texts: (string | null)[]): string => texts.filter((line) => line).join('\n')

/** The first of many names. */
const MOST_NAMED = 20
const few = (names: readonly string[]): string =>
  `${names.slice(0, MOST_NAMED).join(', ')}${names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : ''}`

const LOGIN_LINE = `curl -s -X POST -H 'Content-Type: application/json' -d '{"username":"…","password":"…"}' URL/api/v1/auth/login`
const UPLOAD_AGAIN = 'Open the image, save it again as JPEG or PNG, and upload that file.'
const SAVE_AS = 'Save it as JPEG or PNG and upload that file.'
const OPEN_ADDRESS = 'Open the URL in a browser to check it. Try again later, or upload the image.'
const READ_AGAIN = 'Fetch the product again; it contains a new image_url.'
const BEGIN_AGAIN = 'Start without a cursor and follow next_cursor.'
const WHOLE_ORDER = 'Send a JSON array with the IDs of all images of this product, each once, in the order you want.'
const ANOTHER_ITEM = 'Specify another item by zoho_item_id or sku.'
const CHOOSE_ORGANIZATION =
  'Choose one from GET /api/settings/integrations/zoho/organizations (with PUT /organization), or check ZOHO_ORGANIZATION_ID. Zoho shows the ID under Settings → Organization Profile.'
const CHOOSE_UNDER_CONNECTION =
  'Choose the organization under Connection, or check ZOHO_ORGANIZATION_ID. Zoho shows the ID under Settings → Organization Profile.'
const CHECK_MAIL =
  'Check the address of the mail server (smtp://user:password@host:587, smtps:// for port 465), that it offers TLS, and the receivers.'
const UNRELATED_WORDS = 'Choose a longer one. A few unrelated words are easy to remember.'
const NEXT_SYNC = 'zinc retries at the next sync.'
const NEXT_PULL = 'zinc retries at the next pull.'
const ENTERED = 'Check your input. The message above names the field.'
const START_LATER = 'Nothing was removed. Start the sync again later. If it keeps failing, contact Zoho support.'

/**
 * What the server says to people, by `code`, or `code.reason` where one code says several things.
 * The API sends it in English; the page makes it of the
 * same code and facts in the reader's language. What only a terminal shows is in terminal.ts.
 */
export const MESSAGES = {
  access_denied: {
    message: 'Zoho refuses new access tokens for now: too many were requested',
    remedy: ({ until }: { until: string }) =>
      `zinc signs in again automatically after ${until}. Do not test the connection before then: each attempt extends the wait. Zoho allows ten tokens in ten minutes, shared by all programs that use this refresh token.`,
  },
  access_token_refused: {
    message: 'Zoho rejects the access token, even a new one',
    remedy: 'Check the data center, then reconnect to Zoho.',
  },
  ambiguous_reference: {
    message: ({ reference }: { reference: string }) => `More than one product has ${reference}`,
    remedy: 'Identify the product by one of these IDs, or by zoho:….',
  },
  ambiguous_sku: {
    message: ({ products }: { products: number }) => `${products} products have this SKU. Name the file by the Zoho item ID instead`,
  },
  answer_cut: { message: 'the response was cut off' },
  answer_endless: { message: 'the response never ends' },
  answer_late: { message: 'the response took too long' },
  answer_limit: { message: 'a Zoho limit' },
  answer_not_image: { message: 'a page or JSON instead of an image' },
  answer_not_json: { message: 'not JSON (a web page, or cut off)' },
  answer_not_utf8: { message: 'the response is not UTF-8' },
  answer_status: { message: ({ status }: { status: number }) => `HTTP ${status}` },
  api_key_name_taken: {
    message: ({ name }: { name: string }) => `Another person has a key named ${name}`,
    remedy: 'Choose another name.',
  },
  api_key_not_found: { message: 'API key not found', remedy: 'GET /api/v1/api-keys lists them.', page: 'Reload the page.' },
  'around.about': { message: ({ about, text }: { about: string; text: string }) => `${about}: ${text}` },
  'around.modules_failed': {
    message: ({ modules, text }: { modules: readonly string[]; text: string }) => `${modules.join(', ')} failed: ${text}`,
  },
  'around.records_failed': {
    message: ({ failed, module, id, text }: { failed: number; module: string; id: string; text: string }) =>
      `${failed} of the ${module} cannot be read, e.g. ${id}: ${text}`,
  },
  'around.test_found': { message: ({ text }: { text: string }) => `The test found: ${text}` },
  'around.unread': { message: ({ text }: { text: string }) => `Zoho could not be read: ${text}` },
  backup_damaged: {
    message: ({ id, files, count }: { id: string; files: readonly string[]; count: number }) =>
      `Backup ${id} is damaged: ${files.join(', ')}${count > files.length ? ` and ${count - files.length} more` : ''} missing or changed`,
    remedy: 'Use an older backup (npx zinc backup verify shows which are whole), and make a new one.',
  },
  backup_differs: {
    message: ({ tables }: { tables: readonly string[] }) =>
      `The restored tables ${tables.join(', ')} differ from those at the time of the backup`,
    remedy: 'Do not rely on this backup. Make a new one and rehearse it; if that differs too, report it.',
  },
  backup_not_found: {
    message: ({ target }: { target: string }) => `There is no finished backup in ${target}`,
    remedy: 'Check the folder or bucket. A backup that was stopped is finished by the next npx zinc backup.',
  },
  'backup_not_found.id': {
    message: ({ id }: { id: string }) => `There is no finished backup ${id}`,
    remedy: 'npx zinc backup verify lists those that are there.',
  },
  backup_running: { message: 'Another backup or rehearsal is running', remedy: 'Wait until it has finished.' },
  backup_target_missing: {
    message: 'There is no target for backups yet',
    remedy: 'Name one with PUT /api/backups/schedule, or on the command line.',
    page: 'Enter a folder or a bucket first.',
  },
  bad_mapping: {
    message: ({ key }: { key: string }) => `The entry "${key}" in image_mappings.json is not an item ID with a URL. It was skipped.`,
  },
  bad_request: {
    message: ({ fields }: { fields: { field: string; message: string }[] }) =>
      fields.map(({ field, message }) => `${field} ${message}`)[0] ?? '',
    remedy: 'See GET /docs for what this endpoint accepts.',
    page: ENTERED,
  },
  'bad_request.blank_names': {
    message: ({ field }: { field: string }) => `assortment.${field} contains only blanks`,
    remedy: ({ field }: { field: string }) => `Give at least one value, or send "${field}": null.`,
  },
  'bad_request.body': {
    message: 'The request body must be a JSON object',
    remedy: 'See GET /docs for what this endpoint accepts.',
    page: ENTERED,
  },
  'bad_request.form_character': { message: 'The form contains a character that cannot be stored' },
  'bad_request.no_file': { message: 'file is required', remedy: 'curl -F file=@image.jpg …' },
  'bad_request.no_host': { message: 'The Host header is missing' },
  'bad_request.no_item_id': {
    message: 'item_id is required: the webhook does not name an item',
    remedy: "Use Zoho's default payload for the Items module, or a JSON body with item_id.",
  },
  'bad_request.no_items': { message: 'file is required', remedy: 'curl -F file=@items.json …' },
  'bad_request.no_zip': { message: 'file is required', remedy: 'curl -F file=@images.zip …' },
  'bad_request.not_boolean': { message: ({ field }: { field: string }) => `${field} must be true or false` },
  'bad_request.not_http': {
    message: 'The request is not valid HTTP',
    remedy: 'Percent-encode the URL, as curl -G --data-urlencode does. If you used https, send it to the proxy that terminates TLS.',
  },
  'bad_request.other_part': { message: ({ part }: { part: string }) => `file is required, but the part is named ${JSON.stringify(part)}` },
  'bad_request.refresh_token': { message: 'refresh_token is required', remedy: 'Send the refresh_token that the login returned.' },
  'bad_request.size': { message: `size is required with which=size: ${VARIANT_NAMES.join(' or ')}` },
  'bad_request.too_long': { message: ({ field }: { field: string }) => `${field} must have at most 500 characters` },
  'bad_request.too_many_reports': {
    message: ({ max }: { max: number }) => `sync_batch has more than ${max} reports`,
    remedy: 'Send them in smaller batches.',
  },
  'bad_request.url_character': { message: 'The URL contains a character that cannot be stored' },
  call_refused: {
    message: ({ said }: { said: string }) => `Zoho rejected the call: ${said}`,
    remedy: 'This is probably a bug in zinc or a change at Zoho. Nothing was changed. See the call log for details.',
  },
  challenge_invalid: {
    message: 'This login has expired, or was started from another IP address',
    remedy: 'Log in again with your username and password.',
  },
  'check.bytes': { message: ({ bytes }: { bytes: number }) => `${bytes} bytes` },
  'check.calls_left': {
    message: ({ left, limit, until }: { left: number; limit: number | null; until: string }) =>
      `${left} of ${limit} calls left until ${until}`,
  },
  'check.clock': { message: ({ seconds }: { seconds: number }) => `differs from Zoho's by ${seconds} s` },
  'check.module_hidden': {
    message: 'Zoho CRM does not have this module: it is hidden or renamed there. Syncs skip it.',
  },
  'check.no_image': { message: 'None of the checked items has an image' },
  'check.no_items': { message: 'The organization has no items yet' },
  'check.no_time': { message: 'Zoho did not send its time' },
  'check.not_signed_in_again': {
    message: ({ until }: { until: string }) =>
      `Sign-in was not tested: Zoho allows ten tokens in ten minutes. The other checks used the current token. Test again after ${until}.`,
  },
  'check.quota_not_told': { message: 'Zoho has not reported today’s quota yet' },
  clock_wrong: {
    message: ({ seconds }: { seconds: number }) => `The clock of the database server is ${seconds} s off Zoho's clock`,
    remedy: 'Turn on time synchronisation (NTP) on that machine; zinc uses its clock.',
  },
  concurrency_limited: { message: 'the limit of concurrent calls is reached' },
  consent_denied: {
    message: 'Access was denied at Zoho',
    remedy: 'Select "Connect to Zoho" again and accept. Zoho shows which permissions zinc asks for.',
  },
  consent_link_expired: {
    message: 'This link has been used, replaced or withdrawn, or has expired',
    remedy: 'Ask the person who sent it for a new one.',
  },
  corrupt: { message: 'The image is damaged and cannot be read', remedy: UPLOAD_AGAIN },
  'corrupt.bmp': { message: 'The BMP cannot be read', remedy: UPLOAD_AGAIN },
  'corrupt.checksum': { message: 'The image is damaged: a checksum inside is wrong', remedy: UPLOAD_AGAIN },
  'corrupt.coding': { message: 'The pixel encoding is unknown', remedy: UPLOAD_AGAIN },
  'corrupt.depth': { message: ({ depth }: { depth: number }) => `A BMP cannot have ${depth} bits per pixel`, remedy: UPLOAD_AGAIN },
  'corrupt.header': { message: 'The pixel data starts inside the header', remedy: UPLOAD_AGAIN },
  'corrupt.in_zip': { message: 'The file inside the ZIP is damaged', remedy: 'Create the ZIP again.' },
  'corrupt.no_size': { message: 'The image has no size', remedy: UPLOAD_AGAIN },
  'corrupt.unreadable': { message: 'The image cannot be read', remedy: UPLOAD_AGAIN },
  crm_limit: {
    message: "Zoho CRM's API limit is reached",
    remedy: ({ resets_at }: { resets_at: string }) => `It resumes automatically at ${resets_at}.`,
  },
  csrf_rejected: {
    message: 'The request did not come from zinc’s own page',
    remedy: 'Use the page itself, or a Bearer token. Behind a proxy that terminates https, set PUBLIC_URL and TRUSTED_PROXIES.',
  },
  cursor_ahead: {
    message: 'The starting point can only be moved back: the changes in between would never be read',
    remedy: ({ now }: { now: string | null }) => (now === null ? 'The next sync reads everything anyway.' : `Choose a time before ${now}.`),
  },
  cursor_expired: {
    message: 'This cursor has expired: it is older than the kept deletions',
    remedy:
      'Start without a cursor: list everything, keep what is unchanged, and remove what is not listed. TOMBSTONE_DAYS sets how long deletions are kept.',
  },
  'cursor_expired.products': {
    message: 'This cursor has expired: it is older than the kept deletions',
    remedy:
      'Start without a cursor: read everything, keep what is unchanged, and remove what is not returned. TOMBSTONE_DAYS sets how long deletions are kept.',
  },
  daily_quota_exceeded: {
    message: 'The daily quota of Zoho calls is used up',
    remedy: ({ resets_at }: { resets_at: string }) => `It resumes automatically at ${resets_at}.`,
  },
  'daily_quota_exceeded.test': {
    message: 'The daily quota is used up',
    remedy: ({ resets_at }: { resets_at: string }) => `The quota resets at ${resets_at}; zinc resumes automatically.`,
  },
  database_unavailable: {
    message: 'The database is unavailable',
    remedy: 'Try again in a few seconds. zinc resumes as soon as the database is back.',
  },
  decoder_crash: { message: 'The image cannot be decoded within the memory and time limits', remedy: UPLOAD_AGAIN },
  decryption_key_missing: {
    message: ({ fields }: { fields: readonly string[] }) => `The stored ${fields.join(', ')} cannot be decrypted with the current key`,
    remedy: 'Start zinc with the CREDENTIALS_KEY that encrypted it (`new,old` while rotating), or enter the value again.',
  },
  detail_malformed: { message: ({ key }: { key: string }) => `Zoho's response has no ${key}`, remedy: NEXT_PULL },
  differs: {
    message: ({ found }: { found: { module: string; problem: Part }[] }) =>
      found.map(({ module, problem }) => `${module}: ${text(problem)}`).join('; '),
    remedy: 'Fetch the records that differ: `zinc verify --repair`.',
  },
  'differs.repaired': {
    message: ({ found }: { found: { module: string; problem: Part }[] }) =>
      found.map(({ module, problem }) => `${module}: ${text(problem)}`).join('; '),
    remedy: 'Run a full pull of these modules.',
  },
  download_failed: { message: 'The image was incomplete, even after a retry' },
  edge_token_not_allowed: {
    message: 'An edge server token only gives access to its own store’s photo sync',
    remedy: 'Log in as a user instead.',
  },
  edge_token_not_found: { message: 'Token not found', remedy: 'GET …/stores/{id}/tokens lists them.' },
  encrypted: { message: 'The file is encrypted and cannot be read' },
  epoch_changed: {
    message: 'This cursor belongs to another database',
    remedy: 'Start without a cursor: list everything, keep what is unchanged, and remove what is not listed.',
  },
  'epoch_changed.products': {
    message: 'This cursor belongs to another database',
    remedy: 'Start without a cursor: read everything, keep what is unchanged, and remove what is not returned.',
  },
  'field.category': { message: 'category' },
  'field.image': { message: 'image' },
  'field.images': { message: 'list of images' },
  'field.name': { message: 'name' },
  'field.purchase_price': { message: 'purchase price' },
  'field.selling_price': { message: 'selling price' },
  'field.stock': { message: 'stock' },
  'file.changed': {
    message: ({
      rows,
      bytes,
      manifest_rows,
      manifest_bytes,
    }: {
      rows: number
      bytes: number
      manifest_rows: number
      manifest_bytes: number
    }) =>
      `the file was changed: it has ${rows} rows and ${bytes} bytes; the manifest says ${manifest_rows} rows and ${manifest_bytes} bytes`,
  },
  file_fields_left: {
    message: ({ file, fields }: { file: string; fields: string[] }) =>
      `${file} has fields that a product does not have; they are left: ${fields.join(', ')}`,
    remedy: 'Nothing to do if you do not need them. Values that you need can be custom fields of the items in Zoho.',
  },
  'file.cut': { message: 'the file is cut off' },
  'file.lines_alone': { message: ({ id }: { id: string }) => `line items of ${id} have no document` },
  'file.missing': { message: 'the file is missing' },
  'file.no_manifest': { message: 'its folder has no readable manifest.json' },
  'file.no_member': { message: ({ member }: { member: string }) => `it is an object without an array named ${member}` },
  'file.not_array': { message: ({ found }: { found: string }) => `it is not an array of records (found ${JSON.stringify(found)})` },
  'file.not_listed': { message: 'manifest.json does not list it' },
  'file.not_utf8': { message: 'it is not UTF-8' },
  'file_item.no_id': { message: 'it has no zoho_item_id' },
  'file_item.no_name': { message: 'it has no name' },
  'file_item.no_object': { message: 'it is not an object' },
  'file_item.not_digits': { message: ({ value }: { value: string }) => `its zoho_item_id must contain only digits: ${value}` },
  'file_item.not_number': { message: ({ field, value }: { field: string; value: string }) => `its ${field} is not a number: ${value}` },
  'file_item.not_text': { message: ({ field }: { field: string }) => `its ${field} is not text` },
  'file_item.rounded_id': { message: 'its zoho_item_id was rounded; write it as text' },
  'file_item.shortened_id': {
    message: ({ value }: { value: string }) =>
      `Excel has shortened this ID (${value}); format the column as text in the source and export it again`,
  },
  'file_item.too_long': { message: ({ field }: { field: string }) => `its ${field} is longer than 500 characters` },
  file_item_repeated: {
    message: ({ number, file, id }: { number: number; file: string; id: string }) =>
      `Item ${number} of ${file} has the same ID as an earlier one (${id}). Its values replaced the earlier ones.`,
  },
  file_not_readable: { message: 'The file cannot be read', remedy: 'Check its name and permissions.' },
  files_differ: {
    message: ({ files }: { files: number }) => `${files} files are missing or damaged`,
    remedy: 'Repair them under Media, or with `zinc images verify --repair`.',
  },
  fixed_source: {
    message: ({ field, source }: { field: string; source: string }) => `${field} is always read from ${source}`,
    remedy: 'Only its owner can be changed.',
  },
  folder_not_readable: {
    message: ({ folder }: { folder: string }) => `The folder ${folder} cannot be read`,
    remedy: 'Check its name and permissions.',
  },
  forbidden: {
    message: ({ role }: { role: string }) => `This requires the ${role} role`,
    remedy: 'Ask an admin to do it, or to give you the role.',
  },
  'forbidden.key_scopes': {
    message: ({ role, scopes }: { role: string; scopes: readonly string[] }) => `The role ${role} may not give a key ${scopes.join(', ')}`,
    remedy: 'Leave these scopes out, or ask an admin to make the key.',
  },
  gcp_secrets_unavailable: {
    message: 'Google Secret Manager did not return the Zoho credentials',
    remedy:
      'Check GCP_PROJECT_ID and GOOGLE_APPLICATION_CREDENTIALS, and that the account can access the secrets ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET and ZOHO_REFRESH_TOKEN.',
  },
  general_error: {
    message: 'Zoho could not sign zinc in and gave no reason',
    remedy: 'zinc retries automatically. If it still fails after an hour, reconnect to Zoho.',
  },
  headers_too_large: { message: 'The request headers are too large', remedy: 'Send fewer or shorter headers.' },
  image_file_damaged: { message: 'The file of this image is damaged', remedy: 'Run `zinc images verify --repair`.' },
  image_file_missing: { message: 'The file of this image is missing', remedy: 'Run `zinc images verify --repair`.' },
  image_from_zoho: { message: 'The primary image came from Zoho', remedy: 'Set an uploaded image as primary first.' },
  image_not_deleted: { message: 'This image is not deleted' },
  image_not_found: { message: 'Image not found', remedy: 'List the product’s images with GET to see their IDs.' },
  'image_not_found.file': { message: 'Image not found', remedy: 'Use the image_url of the product.' },
  'image_not_found.none': { message: 'The product has no image', remedy: 'Upload one first.' },
  'image_order_mismatch.other_product': {
    message: ({ ids }: { ids: readonly string[] }) => `These images do not belong to this product: ${ids.join(', ')}`,
    remedy: WHOLE_ORDER,
  },
  'image_order_mismatch.twice': { message: 'An image is listed twice', remedy: WHOLE_ORDER },
  image_removed: { message: 'The image was removed during the upload', remedy: 'Upload it again.' },
  image_replaced: {
    message: 'The image has been replaced since this URL was created',
    remedy: 'Fetch the product again; it contains the new image_url.',
  },
  image_too_large: {
    message: ({ max_bytes }: { max_bytes: number }) => `The image is larger than ${megabytes(max_bytes)}`,
    remedy: 'Upload a smaller image, or raise MAX_UPLOAD_BYTES.',
  },
  'image_too_large.file': { message: ({ max_bytes }: { max_bytes: number }) => `Larger than ${max_bytes} bytes` },
  'image_too_large.url': {
    message: ({ max_bytes }: { max_bytes: number }) => `The image is larger than ${megabytes(max_bytes)}`,
    remedy: 'Use a smaller image, or raise MAX_UPLOAD_BYTES.',
  },
  'image_too_large.zoho': {
    message: ({ max_bytes }: { max_bytes: number }) => `Zoho accepts images of at most ${max_bytes} bytes`,
    remedy: 'Upload a smaller image.',
  },
  image_url_blocked: {
    message: 'zinc is not allowed to download the image from this URL',
    remedy: 'Use a public http or https URL, check the spelling of its host, or add the host to IMAGE_URL_ALLOWLIST.',
  },
  'image_url_failed.cut': { message: 'The image download was cut off', remedy: OPEN_ADDRESS },
  'image_url_failed.packed': { message: 'The image’s server uses a compression that zinc does not support', remedy: OPEN_ADDRESS },
  'image_url_failed.status': {
    message: ({ status }: { status: number }) => `The image’s server responded with HTTP ${status}`,
    remedy: OPEN_ADDRESS,
  },
  'image_url_failed.unreachable': { message: 'The image’s server cannot be reached', remedy: OPEN_ADDRESS },
  image_url_invalid: { message: 'This image URL was modified', remedy: READ_AGAIN },
  'image_url_invalid.ended': { message: 'This image URL has expired', remedy: READ_AGAIN },
  currency_unknown: {
    message: ({ file }: { file: string }) => `${file} has prices without a currency, and the currency of the organization is not known yet`,
    remedy: 'Connect to Zoho and import the file again, or name the currency in the file.',
  },
  import_image_missing: {
    message: ({ path }: { path: string }) => `The image ${path} that the imported file names was not found`,
    remedy: 'Copy the images into the folder of the file, with the same paths, and import the file again.',
  },
  import_image_not_a_file: {
    message: ({ path }: { path: string }) => `${path} is not a file, so it was skipped`,
    remedy: 'Put the image itself there, and import the file again.',
  },
  import_image_outside: {
    message: ({ path }: { path: string }) => `The image ${path} is outside the folder of the imported file, so it was skipped`,
    remedy: 'Copy it into that folder, write its path from there into the file, and import the file again.',
  },
  import_file_not_found: {
    message: ({ file, folder }: { file: string; folder: string }) => `File ${file} not found in ${folder}`,
    remedy: ({ default_file }: { default_file: string }) => `Put it there. Without \`file\`, zinc looks for ${default_file}.`,
  },
  import_file_too_large: {
    message: ({ file, size, max_bytes }: { file: string; size: number; max_bytes: number }) =>
      `${file} is too large: ${megabytes(size)}. The limit is ${megabytes(max_bytes)}.`,
    remedy: 'Split it, or raise MAX_IMPORT_BYTES.',
  },
  'import_file_too_large.mappings': {
    message: ({ file, size, max_bytes }: { file: string; size: number; max_bytes: number }) =>
      `${file} is too large: ${megabytes(size)}. The limit is ${megabytes(max_bytes)}.`,
    remedy: 'Put the URLs into the items as image_url.',
  },
  import_not_found: { message: 'Import not found, or expired', remedy: 'Upload the ZIP again. A preview is kept for one day.' },
  import_started: { message: 'This import has already been started', remedy: 'Open its run, or upload the ZIP again.' },
  import_too_large: {
    message: ({ total_bytes }: { total_bytes: number }) => `The file is larger than ${megabytes(total_bytes)}`,
    remedy: 'Split it, or raise MAX_IMPORT_BYTES.',
  },
  incomplete: {
    message: ({ size, expected_bytes }: { size: number; expected_bytes: number }) =>
      `Only ${size} of ${expected_bytes} bytes of the image arrived`,
    remedy: 'zinc retries at the next sync.',
  },
  insufficient_scope: {
    message: ({ required_scope }: { required_scope: string }) => `The API key lacks the scope ${required_scope}`,
    remedy: 'Make a key with this scope. A key never may do more than the person who made it.',
  },
  integration_disabled: {
    message: 'The Zoho integration is turned off',
    remedy: 'Turn it on: POST /api/settings/integrations/zoho {"enabled":true}.',
    page: 'Turn it on under Connection.',
  },
  internal: { message: 'Something went wrong in zinc', remedy: 'Search the log for this request_id.' },
  'internal.module': { message: 'Something went wrong in zinc', remedy: 'Search the log for this run, then pull again.' },
  'internal.run': {
    message: 'Something went wrong in zinc.',
    remedy: 'Search the log for this run_id. Nothing is lost: start the run again.',
  },
  invalid_address: {
    message: ({ field, protocols }: { field: string; protocols: readonly string[] }) =>
      `${field} must be a URL that starts with ${protocols.map((it) => `${it}//`).join(' or ')}`,
  },
  'invalid_address.mail': { message: 'email must contain email addresses separated by commas' },
  invalid_bucket_url: {
    message: ({ url }: { url: string }) => `${url} is not an address of a bucket`,
    remedy: 'Write it as s3://BUCKET/PREFIX.',
  },
  invalid_backup_target: {
    message: ({ target }: { target: string }) => `${target} is not a place for backups`,
    remedy: 'Name an absolute folder of the server, or s3://BUCKET/PREFIX.',
  },
  'invalid_backup_target.unusable': {
    message: ({ target, problem }: { target: string; problem: string }) => `Backups cannot be kept in ${target}: ${problem}`,
    remedy: 'Name a folder that the account of zinc can create or write to, or s3://BUCKET/PREFIX.',
  },
  'invalid_backup_target.own_folder': {
    message: ({ target, folder }: { target: string; folder: string }) => `${target} is in ${folder}, a folder of zinc itself`,
    remedy: 'Name a folder outside the data folder, best on another disk, or s3://BUCKET/PREFIX.',
  },
  invalid_client: {
    message: 'Zoho does not recognise this client ID in this data center',
    remedy: 'Compare client_id with the Zoho API console, and the data center with the URL of your console (api-console.zoho.eu means eu).',
  },
  invalid_client_secret: {
    message: 'The client secret does not match the client ID',
    remedy:
      'Copy the client secret again from the Zoho API console of your data center. A client for several data centers has a separate secret for each.',
  },
  invalid_code: {
    message: 'Zoho rejected the refresh token: it was revoked, or belongs to another client or data center',
    remedy:
      'Connect to Zoho again ("Connect to Zoho", or a new self-client code). A changed password or a removed user revokes it, and creating more than 20 refresh tokens invalidates the oldest.',
  },
  'invalid_code.exchange': {
    message: 'Zoho rejected the code: it was already used, has expired, or belongs to another client or data center',
    remedy:
      'Generate a new code with a duration of 10 minutes in the Zoho API console and paste it right away. If it still fails, check the client ID and the data center.',
  },
  'invalid_code.second_factor': {
    message: 'The code is wrong or has already been used',
    remedy: 'Enter the next code from the authenticator app. If none works, check that the phone sets its clock automatically.',
  },
  invalid_credentials: {
    message: 'Wrong username or password',
    remedy: 'Check both. The initial password was printed once at the first start; `zinc user passwd` sets a new one.',
  },
  'invalid_credentials.current_password': {
    message: 'The current password is wrong',
    remedy: 'Try again, or ask an admin to set a new one.',
  },
  invalid_cursor: { message: 'cursor is invalid', remedy: BEGIN_AGAIN },
  'invalid_cursor.list': { message: 'cursor is invalid for this list', remedy: BEGIN_AGAIN },
  'invalid_cursor.other_sort': {
    message: 'cursor belongs to a list with a different sort order',
    remedy: 'Start without a cursor and follow next_cursor with the same sort order.',
  },
  'invalid_cursor.sorted': {
    message: 'cursor is invalid',
    remedy: 'Start without a cursor and follow next_cursor with the same sort order.',
  },
  'invalid_cursor.store': { message: 'cursor is invalid for this store', remedy: BEGIN_AGAIN },
  invalid_file_item: {
    message: ({ number, file, problem }: { number: number; file: string; problem: Part }) =>
      `Item ${number} of ${file} cannot be read: ${text(problem)}. The other items are synced.`,
  },
  invalid_file_name: {
    message: 'file must be a plain file name',
    remedy: ({ folder }: { folder: string }) => `Put the file into ${folder} and give only its name, without a path.`,
  },
  'invalid_file_name.link': {
    message: ({ file, folder }: { file: string; folder: string }) => `${file} is a link to a file outside ${folder}`,
    remedy: 'Copy the file itself into the folder.',
  },
  invalid_grant: {
    message: 'Zoho rejected the refresh token: it was revoked, or is not a refresh token',
    remedy:
      'Connect to Zoho again ("Connect to Zoho", or a new self-client code). Check that refresh_token is not an access token or a grant code.',
  },
  invalid_import_file: {
    message: ({ file, problem }: { file: string; problem: Part }) => `${file} is not a list of items: ${text(problem)}`,
    remedy: "Export it again as a JSON list of items, or as an object with one item for each ID, in Zoho's format or in zinc's.",
  },
  invalid_item: {
    message: ({ field, name }: { field: Part; name: string }) =>
      `The ${text(field)} of ${name} cannot be read; the product keeps its current value.`,
  },
  'invalid_item.no_id': {
    message: ({ name }: { name: string | undefined }) =>
      `Zoho lists an item without a readable ID${name ? `: ${name}` : ''}. The other items are synced.`,
  },
  'invalid_item.too_long': {
    message: ({ field, name }: { field: Part; name: string }) =>
      `The ${text(field)} of ${name} is not text of at most 500 characters; the product keeps its current value.`,
  },
  invalid_json: {
    message: ({ problem }: { problem: string }) => `The request body is not valid JSON: ${problem}`,
    remedy: 'In a shell, put the whole body into single quotes, as in -d \'{"key":"value"}\'.',
  },
  invalid_mappings: {
    message: ({ file }: { file: string }) => `${file} does not list item IDs with their URLs`,
    remedy: 'Write it as {"<zoho_item_id>": "<url>"}, or remove the file.',
  },
  invalid_multipart: { message: 'The form cannot be read' },
  'invalid_multipart.cut': {
    message: 'The form cannot be read or was cut off',
    remedy: 'Send it as multipart/form-data, e.g. curl -F file=@image.jpg',
  },
  invalid_group: {
    message: ({ name }: { name: string }) => `The item group ${name} cannot be read in Zoho's list. Its products are not affected.`,
  },
  invalid_price: {
    message: ({ field, name }: { field: Part; name: string }) =>
      `The ${text(field)} of ${name} is not a number in Zoho; the product keeps its current value.`,
  },
  invalid_price_list: {
    message: ({ name }: { name: string }) => `The price list ${name} cannot be read in Zoho's list. Its stored prices stay.`,
  },
  'invalid_price_list.items': {
    message: ({ name, items }: { name: string; items: readonly string[] }) =>
      `Some prices of the price list ${name} cannot be read${items.length === 0 ? '' : ` (items ${items.slice(0, 5).join(', ')})`}. The stored ones stay.`,
  },
  'invalid_price_list.percentage': {
    message: ({ name }: { name: string }) => `The price list ${name} has no readable percentage in Zoho, so it gives no prices.`,
  },
  invalid_redirect_uri: {
    message: 'The redirect URL does not match the one registered at Zoho',
    remedy:
      'Add the redirect URL from GET /api/settings/integrations/zoho/scopes to your client in the Zoho API console, and check PUBLIC_URL.',
    page: 'Add the redirect URL shown under Connection to your client in the Zoho API console, and check PUBLIC_URL.',
  },
  invalid_schedule: {
    message: ({ problem }: { problem: string }) => `schedule is invalid: ${problem}`,
    remedy: 'A cron expression has five fields, e.g. */15 * * * * (every 15 minutes) or 5 1,13 * * * (at 1:05 and 13:05).',
  },
  'invalid_schedule.no_such_day': { message: 'schedule is invalid: there is no such day', remedy: 'Choose a day that exists.' },
  invalid_scope: {
    message: 'Zoho does not recognise one of the scopes',
    remedy: 'Use exactly the scopes line from GET /api/settings/integrations/zoho/scopes.',
    page: 'Use exactly the scopes line shown under Connection.',
  },
  invalid_selection: {
    message: ({ module }: { module: string }) => `modules is invalid: ${module} does not exist here`,
    remedy: ({ offered }: { offered: readonly string[] }) =>
      offered.length === 0 ? 'This module has no parts to select.' : `Choose one or more of: ${offered.join(', ')}; null for all.`,
  },
  'invalid_selection.none': {
    message: 'modules must contain at least one',
    remedy: ({ offered }: { offered: readonly string[] }) =>
      offered.length === 0 ? 'This module has no parts to select.' : `Choose one or more of: ${offered.join(', ')}; null for all.`,
  },
  'invalid_selection.part': {
    message: ({ field }: { field: string }) => `${field} applies to Zoho Inventory only`,
    remedy: 'Leave it out, or name the module inventory.',
  },
  invalid_sync_part: {
    message: ({ only, module }: { only: string; module: string }) => `only is invalid: ${module} has no ${only}`,
    remedy: 'Use only with the module inventory.',
  },
  invalid_signature: {
    message: 'The webhook signature does not match the secret',
    remedy: 'Set the same secret in Zoho (Settings, Automation, Webhooks) and as webhook_secret on the settings page.',
  },
  invalid_state: {
    message: 'This sign-in was not started in this browser, was already used, or took longer than ten minutes',
    remedy: 'Start again in this browser.',
  },
  invalid_time: {
    message: ({ field, text }: { field: string; text: string }) => `${field} is not a valid time: ${text}`,
    remedy: 'Write it as 2026-11-20T08:30:00.000Z.',
  },
  item_id_refused: {
    message: ({ id }: { id: string }) => `Zoho rejects the item ID ${id}; the product is unchanged. The other items are synced.`,
  },
  item_not_found: { message: ({ id }: { id: string }) => `Zoho has no item ${id}`, remedy: ANOTHER_ITEM },
  'item_not_found.none': { message: 'Zoho has no items yet', remedy: ANOTHER_ITEM },
  'item_not_found.sku': { message: ({ sku }: { sku: string }) => `No product has the SKU ${sku}`, remedy: ANOTHER_ITEM },
  last_admin: { message: 'The last admin cannot be removed', remedy: 'Make another user an admin first.' },
  list_malformed: { message: ({ key }: { key: string }) => `Zoho's response has no ${key}`, remedy: NEXT_SYNC },
  'list_malformed.crm': { message: "Zoho CRM's response has no data", remedy: NEXT_SYNC },
  list_missing_items: {
    message: ({ items }: { items: number }) => `Zoho's list left out ${items} existing items. zinc read them one by one; nothing is lost.`,
  },
  list_truncated: {
    message: ({ path }: { path: string }) => `Zoho's list ${path} is much shorter than expected`,
    remedy: 'Nothing was changed. If so many records were really deleted, run a full pull of the module and confirm the removals.',
  },
  list_unordered: {
    message: ({ path }: { path: string }) => `Zoho did not list ${path} in the requested order`,
    remedy: START_LATER,
  },
  login_rate_limited: {
    message: 'Too many failed logins',
    remedy:
      'Wait for the time in Retry-After and try again, or use a browser that was logged in before. Behind a proxy, set TRUSTED_PROXIES: without it all users share one IP address.',
  },
  mail_no_tls: { message: 'The mail server offers no TLS, and a password is only sent encrypted', remedy: CHECK_MAIL },
  mail_refused: {
    message: ({ status, login }: { status: number; login: boolean }) =>
      `The mail server refuses it (${status}${login ? ': user or password is wrong' : ''})`,
    remedy: CHECK_MAIL,
  },
  mail_unreachable: { message: 'The mail server cannot be reached', remedy: CHECK_MAIL },
  'mass_delete_stopped.items': {
    message: ({ removed, known }: { removed: number; known: number }) =>
      `${removed} of ${known} items were deleted in Zoho, more than 20 %. Nothing was removed. If that is correct, run it again with confirm_removals=true.`,
  },
  mass_delete_stopped: {
    message: ({ removed, images }: { removed: number; images: number }) =>
      `This assortment would remove ${removed} of ${images} images from the store`,
    remedy: 'Compare the SKUs and categories with the catalogue. If it is intended, send it again with ?confirm_removals=true.',
    page: 'Check the items in Zoho. If they were really deleted, review the removal and confirm it.',
  },
  'mass_delete_stopped.crm': {
    message: ({ removed, known, module }: { removed: number; known: number; module: string }) =>
      `${removed} of ${known} ${module} are no longer in Zoho's list, which is more than 20 %. None was marked as deleted.`,
  },
  'mass_delete_stopped.pull': {
    message: ({ removed, known, module }: { removed: number; known: number; module: string }) =>
      `${removed} of ${known} ${module} are no longer in Zoho's list; nothing was removed`,
    remedy: 'If that is correct, run a full pull of the module with confirm_removals (--full --confirm-removals on the command line).',
    page: 'Check the items in Zoho. If they were really deleted, review the removal and confirm it.',
  },
  method_not_allowed: {
    message: ({ method }: { method: string }) => `${method} is not supported at this URL`,
    remedy: 'See GET /docs for all endpoints.',
    page: 'Reload the page. zinc may have been updated.',
  },
  metrics_forbidden: {
    message: 'Metrics are only available on this machine and to admins',
    remedy: 'Set METRICS_TOKEN and send it as a Bearer token.',
  },
  missing_id: {
    message: ({ module, field }: { module: string; field: string }) => `A row of Zoho's ${module} has no ${field}`,
    remedy: 'Nothing is lost: the module is retried at the next pull. If it keeps failing, contact Zoho support.',
  },
  login_moved: {
    message: 'Logins are at another address, with other names in the response',
    remedy:
      'POST {"username","password"} as JSON to /api/v1/auth/login; the token is data.access_token, for one hour. A script that runs alone takes an API key instead (page API keys): Authorization: Bearer zk_…',
  },
  module_disabled: {
    message: ({ name }: { name: string }) => `${name} is turned off`,
    remedy: ({ module }: { module: string }) => `Turn it on: PATCH /api/settings/integrations/zoho/modules/${module} {"enabled":true}.`,
    page: 'Turn it on under Modules, then sync.',
  },
  module_not_found: {
    message: 'Module not found',
    remedy: ({ modules }: { modules: readonly string[] }) => `Use one of: ${modules.join(', ')}.`,
  },
  'module_not_found.books': {
    message: ({ module }: { module: string }) => `Zoho Books has no module ${module}`,
    remedy: ({ modules }: { modules: readonly string[] }) => `Use one or more of: ${modules.join(', ')}.`,
  },
  multipart_required: { message: 'The body must be multipart/form-data with a part named file', remedy: 'curl -F file=@image.jpg …' },
  no_data: {
    message: 'Nothing has been pulled yet',
    remedy: 'Pull first: `zinc fetch all`, or POST /api/pulls/.',
    page: 'Start a pull first.',
  },
  no_mapped_file: { message: 'The map names this file, but it is not there' },
  no_product: { message: 'No product has this SKU or Zoho id' },
  'no_product.mapped': { message: ({ value }: { value: string }) => `No product is ${value}, as the map says` },
  not_in_map: { message: 'The map does not name this file' },
  no_refresh_token: {
    message: 'Zoho accepted the code but returned no refresh token',
    remedy: 'Generate a new code. With the consent page, use offline access and prompt=consent.',
  },
  no_remote_source: {
    message: 'This product has no image in Zoho or at a URL',
    remedy: 'Upload one, or add it in Zoho and sync.',
  },
  no_such_folder: {
    message: ({ directory }: { directory: string }) => `Folder ${directory} not found`,
    remedy: 'Specify a raw_json/<stamp> folder.',
  },
  no_such_module: {
    message: ({ app, module }: { app: string; module: string }) => `modules is invalid: Zoho ${app} has no ${module}`,
    remedy: ({ modules }: { modules: readonly string[] }) => `Use one or more of: ${modules.join(', ')}.`,
  },
  no_webhook_secret: {
    message: 'There is no webhook secret yet',
    remedy: 'Create one first, here or by setting webhook_secret.',
  },
  'no_remote_source.uploaded': { message: 'The image was uploaded here and has no other source', remedy: 'Upload the image again.' },
  notification_refused: {
    message: 'The receiver cannot be reached or does not take it',
    remedy:
      'Check that the address is public (IMAGE_URL_ALLOWLIST or NOTIFY_WEBHOOK_URL may name another host) and takes a POST with a status below 300.',
  },
  not_a_zip: { message: 'This is not a readable ZIP file', remedy: 'Compress the image folders as .zip and upload that file.' },
  'not_a_zip.damaged': { message: 'The ZIP is damaged', remedy: 'Create it again and upload it.' },
  not_an_image: { message: 'This file is not an image', remedy: UPLOAD_AGAIN },
  not_for_keys: { message: 'This operation is closed to API keys', remedy: 'Log in as a user instead.' },
  not_found: {
    message: 'Not found',
    remedy: 'See GET /docs for all endpoints.',
    page: 'Go back to where you came from.',
  },
  not_found_in_zoho: { message: 'Record not found in Zoho' },
  'not_found_in_zoho.image': { message: 'Zoho has no image' },
  not_in_assortment: { message: 'This photo is not in the store’s assortment', remedy: 'Delete it locally and read the list again.' },
  not_in_zoho: { message: 'This product is not in Zoho', remedy: 'Images can only be sent for items that exist in Zoho.' },
  not_set_up: {
    message: ({ missing }: { missing: string[] }) =>
      `Zoho is not set up yet: ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`,
    remedy: ({ missing }: { missing: string[] }) =>
      `Set ${missing.join(', ')} on the settings page, with POST /api/settings/integrations/zoho, or as ${missing.map((it) => `ZOHO_${it.toUpperCase()}`).join(', ')} in .env and restart zinc.`,
    page: 'Enter what is missing under Credentials on the Connection page, or set it in the environment.',
  },
  // Notifications: the subject, then the text.
  'notification.backup_too_old': {
    message: 'The newest good backup is too old',
    remedy: ({ newest, target, hours }: { newest: string | null; target: string | null; hours: number | null }) =>
      lines(
        newest === null ? 'There is no good backup yet.' : `The newest good backup ended at ${newest}.`,
        `Target: ${target}, expected every ${hours} hours.`,
        'Look at the page Backups; the row of a failed one says why.',
      ),
  },
  'notification.connection_lost': {
    message: 'The connection to Zoho is lost',
    remedy: ({ cause }: { cause: Part }) => withRemedy(cause),
  },
  'notification.connection_regained': {
    message: 'The connection to Zoho is back',
    remedy: ({ since }: { since: string }) => `It was lost at ${since}. What was missed meanwhile comes with the next sync.`,
  },
  'notification.many_failures': {
    message: ({ open }: { open: number }) => `${open} failures are open`,
    remedy: ({ limit }: { limit: number }) =>
      lines(`The limit is ${limit}.`, 'The page Failures groups them by cause and says what to do about each.'),
  },
  'notification.nothing_synced': {
    message: 'Nothing was synced for long',
    remedy: ({ last }: { last: string }) =>
      lines(`The last sync that succeeded ended at ${last}.`, 'Look at the connection and the schedules on the settings page.'),
  },
  'notification.run_failed': {
    message: ({ kind }: { kind: string }) => `A run failed: ${kind}`,
    remedy: ({ cause, run_id }: { cause: Part | null; run_id: string }) =>
      lines(cause === null ? 'The log names the cause.' : withRemedy(cause), `Run ${run_id}`),
  },
  'notification.store_silent': {
    message: ({ name }: { name: string }) => `Store ${name} is silent`,
    remedy: ({ last_seen: at }: { last_seen: string }) =>
      lines(`It asked for photos last at ${at}.`, 'Look whether the shop’s edge server runs and reaches zinc.'),
  },
  'notification.test': { message: 'A test', remedy: 'Notifications of zinc arrive here.' },
  'notification.webhook_disabled': {
    message: ({ host }: { host: string }) => `The webhook to ${host} was turned off`,
    remedy: ({ days }: { days: number | null }) =>
      lines(
        days === null ? 'The receiver says that it is gone (410).' : `Nothing has arrived there for ${days} days.`,
        'Correct it under Webhooks, turn it on again and replay what was missed.',
      ),
  },
  not_verified: {
    message: 'This session has not been verified yet',
    remedy: ({ session }: { session: string }) => `POST /api/pulls/${session}/verify`,
    page: 'Verify it first.',
  },
  nothing_to_retry: {
    message: 'None of these failures can be retried',
    remedy: 'GET /api/settings/integrations/zoho/failures shows what to do instead.',
    page: 'Follow the advice shown for each cause.',
  },
  oauth_unavailable: {
    message: ({ status }: { status: number }) => `Zoho's sign-in is unavailable: it responded with status ${status} and no token`,
    remedy: 'zinc retries automatically. If it keeps failing, check status.zoho.com.',
  },
  organization_not_found: {
    message: 'The account does not have this organization',
    remedy: 'Choose one from GET /api/settings/integrations/zoho/organizations.',
    page: 'Choose one from the list under Connection.',
  },
  organization_not_set: { message: 'No organization is selected', remedy: CHOOSE_ORGANIZATION, page: CHOOSE_UNDER_CONNECTION },
  organization_untried: {
    message: 'Not tested: the wrong organization is selected',
    remedy: CHOOSE_ORGANIZATION,
    page: CHOOSE_UNDER_CONNECTION,
  },
  overloaded: { message: 'Too many uploads in progress', remedy: 'Try again in a few seconds.' },
  'overloaded.archives': {
    message: 'Too many archives in progress',
    remedy: ({ limit }: { limit: number }) =>
      `Finish reading an archive before you request the next one. Each token can read ${limit} at a time.`,
  },
  'overloaded.connections': {
    message: 'zinc has reached its connection limit',
    remedy: 'Try again in a few seconds. To allow more connections, raise the limit of open files (ulimit -n).',
  },
  'overloaded.images': { message: 'Too many images are being processed', remedy: 'Try again in a few seconds.' },
  owned_by_zoho: {
    message: ({ fields }: { fields: readonly string[] }) => `${fields.join(', ')} is owned by Zoho; the next sync would undo the change`,
    remedy: 'Change it in Zoho, or give the field to the ERP: PUT /api/settings/integrations/zoho/mapping.',
    page: 'Change it in Zoho, or give the field to the ERP in the mapping under Modules.',
  },
  pagination_loop: {
    message: ({ problem }: { problem: string }) => `Zoho's list never ends: ${problem}`,
    remedy: START_LATER,
  },
  'pagination_loop.books': {
    message: ({ path }: { path: string }) => `Zoho's list ${path} never ends`,
    remedy: 'Nothing was removed. Start the pull again later. If it keeps failing, contact Zoho support.',
  },
  'pagination_loop.crm': {
    message: ({ problem }: { problem: string }) => `Zoho CRM's list never ends: ${problem}`,
    remedy: START_LATER,
  },
  paused_by_user: { message: 'Paused by a user' },
  payload_too_large: {
    message: ({ max_bytes }: { max_bytes: number }) => `The request body is larger than ${max_bytes} bytes`,
    remedy: 'Send it in smaller parts.',
  },
  'payload_too_large.form': {
    message: ({ total_bytes }: { total_bytes: number }) => `The form is larger than ${total_bytes} bytes`,
    remedy: 'Send fewer or smaller files at a time.',
  },
  photo_deleted: { message: 'This photo was deleted', remedy: 'Delete it locally and read the list again.' },
  photo_not_found: { message: 'Photo not found', remedy: 'Read the list again; it contains every photo of the store.' },
  'photo_not_found.product': {
    message: 'Photo not found',
    remedy: 'GET /api/products/{id}/images lists the photos of a product.',
    page: 'Reload the page. It may have been deleted.',
  },
  placeholder_image: { message: 'The URL belongs to a placeholder image service' },
  precondition_failed: {
    message: 'The file has changed since the version in If-Match',
    remedy: 'Request it again without If-Match.',
  },
  product_deleted: { message: 'The product is deleted', remedy: 'It is restored when it reappears in Zoho. Change its images then.' },
  product_in_zoho: {
    message: 'This product exists in Zoho; the next sync would restore it',
    remedy: 'Delete the item in Zoho; the next full sync removes it here.',
  },
  price_list_not_found: { message: 'Price list not found', remedy: 'GET /api/price-lists lists them.', page: 'Reload the page.' },
  price_list_without_items: {
    message: ({ name }: { name: string }) => `Zoho's response for the price list ${name} has no items. The stored prices stay.`,
  },
  product_group_not_found: { message: 'Item group not found', remedy: 'GET /api/product-groups lists them.', page: 'Reload the page.' },
  product_not_found: {
    message: 'Product not found',
    remedy: 'Use its ID, or sku:…, zoho:…, ean:…, upc:…, isbn:… or part:…. GET /api/products?search=… finds products.',
    page: 'Go back to Products and search for it by name or SKU.',
  },
  'product_not_found.deleted': { message: 'The product is already deleted', remedy: 'There is nothing left to do.' },
  quota_nearly_exhausted: { message: 'the last calls of the daily quota are in use' },
  range_not_satisfiable: {
    message: ({ size }: { size: number }) => `The requested range starts after the end of the file (${size} bytes)`,
    remedy: 'Request the whole file, without Range.',
  },
  rehearsal_not_permitted: {
    message: 'The account in DATABASE_URL may not create databases, which a rehearsal needs',
    remedy: 'Ask a database superuser to run: ALTER ROLE <that account> CREATEDB; or rehearse with a DATABASE_URL of an account that may.',
  },
  rate_limited_minute: { message: ({ limit }: { limit: number }) => `zinc makes at most ${limit} calls a minute` },
  record_mismatch: {
    message: ({ module, id }: { module: string; id: string }) => `Zoho returned a different record instead of ${module} ${id}`,
    remedy: NEXT_PULL,
  },
  refresh_token_invalid: { message: 'The refresh token is no longer valid', remedy: 'Log in again.' },
  request_timeout: { message: 'The request did not arrive in time' },
  run_paused: { message: 'The run waits', remedy: 'It resumes automatically at that time.' },
  'run_paused.items': { message: 'The run waits', remedy: 'It resumes automatically at that time. Items are synced before images.' },
  'run_paused.pull': { message: 'The run waits', remedy: 'It resumes automatically at that time. Pulled records are kept.' },
  restore_expired: {
    message: ({ days }: { days: number }) => `A deleted image can be restored for ${days} days; this one has expired`,
    remedy: 'Upload it again.',
  },
  run_finished: {
    message: ({ state }: { state: string }) => `The run has already finished: ${state}`,
    remedy: 'Start a new run to do it again. retry-failed retries what failed in this one.',
  },
  run_not_found: {
    message: 'Run not found',
    remedy: 'GET /api/settings/integrations/zoho/sync/runs lists the runs.',
    page: 'Go back to Runs and open it there.',
  },
  run_not_paused: {
    message: ({ state }: { state: string }) => `Only a paused run can be resumed; this one is ${state}`,
    remedy: 'Queued and running runs continue automatically. If the run has finished, start a new one.',
  },
  scope_missing: {
    message: 'Zoho does not allow this: a scope or a permission is missing',
    remedy:
      'Reconnect to Zoho with all scopes from GET /api/settings/integrations/zoho/scopes, and check the data center. POST /api/settings/integrations/zoho/test names the missing scope.',
    page: 'Reconnect with all scopes listed under Connection, and check the data center. The connection test names the missing scope.',
  },
  'scope_missing.scope': {
    message: ({ scope, reads }: { scope: string; reads: string }) =>
      `The scope ${scope} is missing, or the Zoho user has no permission to read: ${reads}`,
    remedy: ({ scope }: { scope: string }) =>
      `Reconnect to Zoho with the scope ${scope} included (GET /api/settings/integrations/zoho/scopes returns the whole line), or turn the module off.`,
    page: 'Reconnect with all scopes listed under Connection, and check the data center. The connection test names the missing scope.',
  },
  second_factor_required: {
    message: 'A code from the authenticator app is required',
    remedy: 'Send {"challenge", "code"} or {"challenge", "recovery_code"} to the same URL within five minutes.',
  },
  second_factor_setup_required: {
    message: 'This account must set up two-factor authentication first',
    remedy:
      'Open the account page, or POST /api/v1/auth/totp and then /api/v1/auth/totp/confirm with a code. It is required by REQUIRE_SECOND_FACTOR.',
    page: 'Open the account page and set it up.',
  },
  server_stopped: { message: 'The server was stopped', remedy: 'It resumes automatically at the next start.' },
  session_in_use: {
    message: 'This session is not finished',
    remedy: ({ run_id }: { run_id: string }) => `Cancel its run first: POST /api/settings/integrations/zoho/sync/runs/${run_id}/cancel`,
    page: 'Wait until its run has finished, or cancel the run first.',
  },
  'session_in_use.unfinished': { message: 'This session is not finished', remedy: 'Wait until its run has finished.' },
  session_not_found: {
    message: 'Session not found',
    remedy: 'GET /api/pulls/ (or `zinc sessions list`) lists the sessions.',
    page: 'Go back to Pulls. It may have been deleted.',
  },
  'session_not_found.named': {
    message: ({ name }: { name: string }) => `Session ${name} not found`,
    remedy: '`zinc sessions list` lists them. The next `zinc fetch` continues an unfinished one.',
  },
  'session_not_found.sign_in': {
    message: 'You have no such session',
    remedy: 'GET /api/v1/auth/sessions lists them.',
    page: 'Go back to Pulls. It may have been deleted.',
  },
  session_pinned: { message: 'This session is pinned', remedy: 'Unpin it first: PATCH {"pinned":false}.' },
  set_by_environment: {
    message: ({ field }: { field: string }) => `${field} is set in the environment, which takes precedence over stored settings`,
    remedy: ({ variable }: { variable: string }) => `Change ${variable} in .env and restart zinc, or remove it there to set it here.`,
  },
  'set_by_environment.gcp': {
    message: ({ field }: { field: string }) => `${field} is set in Google Secret Manager, which takes precedence over stored settings`,
    remedy: ({ variable }: { variable: string }) =>
      `Add a new version of the secret ${variable} there. zinc picks it up within five minutes.`,
  },
  shutting_down: { message: 'zinc is stopping' },
  side_too_long: {
    message: ({ width, height, max_side }: { width: number; height: number; max_side: number }) =>
      `The image is ${width} × ${height}; no side may be longer than ${max_side}`,
    remedy: UPLOAD_AGAIN,
  },
  sku_conflict: {
    message: ({ ids, sku }: { ids: readonly string[]; sku: string }) =>
      `The items ${ids.join(', ')} share the SKU ${sku}. All are kept; change the SKU of one of them in Zoho.`,
  },
  storage_full: {
    message: 'There is not enough disk space for another image',
    remedy: 'Free up space in DATA_DIR, or use a larger disk or an S3 bucket.',
  },
  'storage_full.run': {
    message: 'storage_full: the disk has no space for more images',
    remedy: 'Free up space in DATA_DIR; it resumes automatically.',
  },
  storage_unavailable: {
    message: ({ problem }: { problem: string }) => `The S3 bucket cannot be used: ${problem}`,
    remedy:
      "Check S3_ENDPOINT, the keys and their permissions, the bucket and this machine's clock. zinc resumes as soon as the bucket responds.",
  },
  store_code_taken: {
    message: ({ code }: { code: string }) => `A store with the code ${code} already exists`,
    remedy: 'Choose another code.',
  },
  store_exists: {
    message: ({ id }: { id: string }) => `A store with the ID ${id} already exists`,
    remedy: 'Change that store instead, or leave out the ID.',
  },
  store_id_required: { message: 'store_id is required', remedy: 'Add store_id=… to the query, or to the body of a POST.' },
  store_mismatch: { message: 'This token is not for that store', remedy: 'Use the store_id that the token was created for.' },
  store_not_found: {
    message: 'Store not found',
    remedy: 'GET /api/v1/stores lists them.',
    page: 'Go back to Stores. It may have been deleted.',
  },
  store_paused: {
    message: 'This store is paused',
    remedy: 'Try again later. Files at the store stay as they are. An admin can resume the store at head office.',
  },
  symbolic_link: { message: 'Links are not followed' },
  sync_running: {
    message: 'A run of this kind is already in progress',
    remedy: ({ run_id, state, resumes_at }: { run_id: string; state: string; resumes_at: string | null }) => {
      const wait =
        state === 'paused' && resumes_at === null
          ? `It is paused. Resume it: POST /api/settings/integrations/zoho/sync/runs/${run_id}/resume`
          : 'Wait for it to finish'
      return `${wait}, or cancel it: POST /api/settings/integrations/zoho/sync/runs/${run_id}/cancel`
    },
    page: 'Wait for it to finish, or open it and cancel it.',
  },
  'sync_running.reset': { message: 'A sync is in progress', remedy: 'Wait for it to finish or cancel it, then reset.' },
  'sync_running.watermark': {
    message: 'A sync is in progress',
    remedy: 'Wait for it to finish or cancel it, then change the starting point.',
  },
  'sync_running.webhook': { message: 'An item sync is in progress' },
  test_timeout: {
    message: 'The test did not finish within two minutes',
    remedy: 'Other calls to Zoho are in progress, or Zoho is slow. Check GET /api/settings/integrations/zoho/quota and try again.',
    page: 'Other calls to Zoho are in progress, or Zoho is slow. Try again in a few minutes.',
  },
  too_many_parts: {
    message: 'The form has too many parts, or parts that are too large',
    remedy: 'Send at most ten files, each in a part named file.',
  },
  too_many_pixels: {
    message: ({ width, height, max_pixels }: { width: number; height: number; max_pixels: number }) =>
      `The image is ${width} × ${height}, more than ${max_pixels} pixels`,
    remedy: UPLOAD_AGAIN,
  },
  'too_many_pixels.frames': { message: 'The frames together have too many pixels', remedy: UPLOAD_AGAIN },
  'too_many_pixels.unmeasured': {
    message: ({ max_pixels }: { max_pixels: number }) => `The image has more than ${max_pixels} pixels`,
    remedy: UPLOAD_AGAIN,
  },
  too_many_requests: { message: 'Too many requests', remedy: 'Wait for the time in Retry-After. API_REQUESTS_PER_MINUTE sets the limit.' },
  too_many_streams: {
    message: ({ limit }: { limit: number }) => `You already follow ${limit} runs`,
    remedy: 'Close other pages or programs that follow runs.',
  },
  'totals.not_amount': { message: 'the total is not an amount' },
  'totals.sub_total': {
    message: ({ lines, sum, reported }: { lines: number; sum: string; reported: string }) =>
      `the ${lines} line items add up to ${sum}, the subtotal is ${reported}`,
  },
  'totals.total': {
    message: ({ lines, sum, reported }: { lines: number; sum: string; reported: string }) =>
      `the ${lines} line items come to ${sum}, the total is ${reported}`,
  },
  totp_enabled: {
    message: 'This account already uses two-factor authentication',
    remedy: 'Turn it off first: DELETE /api/v1/auth/totp with the password and a code.',
    page: 'Reload the page. It may have been set up in another window.',
  },
  totp_not_begun: {
    message: 'Two-factor authentication setup was not started',
    remedy: 'Start with POST /api/v1/auth/totp.',
    page: 'Start the setup again.',
  },
  truncated: { message: 'The image is incomplete: its end is missing', remedy: UPLOAD_AGAIN },
  'truncated.differently': { message: 'The image arrives damaged, and differently each time' },
  'truncated.while_decoding': { message: 'The image is incomplete', remedy: UPLOAD_AGAIN },
  unanswered: {
    message: ({ tries, why }: { tries: number; why: Part }) => `Zoho did not respond properly after ${tries} attempts: ${text(why)}`,
    remedy: 'zinc retries at the next sync. If it keeps failing, check status.zoho.com.',
  },
  unauthenticated: {
    message: 'A valid token is required',
    remedy: ({ url }: { url: string }) => `${LOGIN_LINE.replace('URL', url)}   # then: -H "Authorization: Bearer <access_token>"`,
  },
  unauthorized_client: {
    message: 'This client is not allowed to sign in this way',
    remedy: 'Create a client of type "Self Client" or "Server-based" in the Zoho API console and use its ID and secret.',
  },
  unknown_rounding: {
    message: ({ name, rounding }: { name: string; rounding: string }) =>
      `The price list ${name} has the rounding ${rounding}, which zinc does not know. It gives no prices.`,
  },
  unknown_compression: { message: 'Unsupported compression' },
  unknown_organization: {
    message: 'Zoho does not recognise this organization, or the account does not belong to it',
    remedy:
      'Choose one from GET /api/settings/integrations/zoho/organizations, or check ZOHO_ORGANIZATION_ID. Zoho shows the ID under Settings → Organization Profile.',
    page: CHOOSE_UNDER_CONNECTION,
  },
  'unknown_organization.other': {
    message: ({ organization }: { organization: string }) => `The account does not belong to the organization ${organization}`,
    remedy: CHOOSE_ORGANIZATION,
    page: CHOOSE_UNDER_CONNECTION,
  },
  unknown_skus: {
    message: ({ unknown }: { unknown: readonly string[] }) =>
      `No product has this SKU, or several differ from it only in case and blanks: ${few(unknown)}`,
  },
  unknown_categories: {
    message: ({ unknown }: { unknown: readonly string[] }) =>
      `No product has this category, or several differ from it only in case and blanks: ${few(unknown)}`,
  },
  unknown_parameter: {
    message: ({ kind, parameter }: { kind: string; parameter: string }) => `Unknown ${kind} ${JSON.stringify(parameter.slice(0, 100))}`,
    remedy: ({ nearest, known }: { nearest: string | null; known: string[] }) => {
      const names = known.length === 0 ? 'None are accepted here.' : `Accepted here: ${known.join(', ')}.`
      return nearest === null ? names : `Did you mean ${nearest}? ${names}`
    },
  },
  unknown_location: {
    message: ({ id }: { id: string; known: readonly string[] }) => `Zoho has no location ${id}`,
    remedy: ({ known }: { id: string; known: readonly string[] }) =>
      known.length === 0
        ? 'No locations are known yet: they are read after a full sync, or with POST …/modules/inventory/sync?only=stock.'
        : `GET /api/locations lists them: ${known.join(', ')}.`,
    page: 'Read stock by location first, then choose one from the list.',
  },
  unknown_source: {
    message: ({ source }: { source: string }) => `Zoho items have no field ${source} that can be mapped`,
    remedy: 'GET …/mapping lists the fields. Custom fields start with cf_.',
  },
  unreachable: { message: 'Zoho cannot be reached' },
  unreadable: { message: 'it cannot be read' },
  unsafe_path: {
    message: 'The ZIP contains an unsafe path; nothing was imported',
    remedy: 'Create the ZIP again with a standard program.',
  },
  unsupported_content_encoding: { message: 'Compressed request bodies are not supported', remedy: 'Send it without Content-Encoding.' },
  unsupported_format: { message: 'This format is not supported; use JPEG, PNG, GIF, WebP, AVIF or BMP', remedy: SAVE_AS },
  'unsupported_format.bmp': {
    message: ({ what }: { what: string }) => `A BMP with ${what} is not supported; use JPEG or PNG`,
    remedy: SAVE_AS,
  },
  'unsupported_format.heic': { message: 'HEIC is not supported; use JPEG, PNG, GIF, WebP, AVIF or BMP', remedy: SAVE_AS },
  'unsupported_format.zoho': {
    message: ({ format }: { format: string }) => `Zoho does not support ${format}`,
    remedy: 'Upload it as JPEG or PNG.',
  },
  unsupported_media_type: {
    message: ({ type }: { type: string }) => `The content type ${type} is not supported here`,
    remedy: 'Send JSON with Content-Type: application/json; see GET /docs for endpoints that take a form.',
    page: 'Reload the page. zinc may have been updated.',
  },
  untested: {
    message: 'zinc has not signed in with these credentials yet',
    remedy: 'Test the connection, also with POST /api/settings/integrations/zoho/test, or start the first sync.',
    page: 'Test the connection, or start the first sync.',
  },
  'untested.items': { message: 'Not tested: the items could not be read', remedy: 'Fix the ZohoInventory.items.READ check first.' },
  uri_too_long: { message: ({ max }: { max: number }) => `The URL is longer than ${max} characters`, remedy: 'Request less at once.' },
  user_not_found: {
    message: 'User not found',
    remedy: 'GET /api/v1/users lists them.',
    page: 'Reload the page. The user may have been removed.',
  },
  username_taken: {
    message: ({ username }: { username: string }) => `A user named ${username} already exists`,
    remedy: 'Choose another name.',
  },
  'verify.altered': { message: ({ count, id }: { count: number; id: string }) => `${count} were modified after the pull, e.g. ${id}` },
  'verify.duplicates': {
    message: ({ count, id }: { count: number; id: string }) => `${count} appear more than once in one file, e.g. ${id}`,
  },
  'verify.empty': {
    message: ({ module, records }: { module: string; records: number }) => `the files of ${module} are empty, Zoho has ${records}`,
  },
  'verify.extra': { message: ({ count, id }: { count: number; id: string }) => `${count} are in the files but not in Zoho, e.g. ${id}` },
  'verify.extra_database': {
    message: ({ count, id }: { count: number; id: string }) => `${count} are in the files but not in the database, e.g. ${id}`,
  },
  'verify.line_items': {
    message: ({ count, id }: { count: number; id: string }) => `${count} have line items that do not add up to their header, e.g. ${id}`,
  },
  'verify.missing': { message: ({ count, id }: { count: number; id: string }) => `${count} are in Zoho but not in the files, e.g. ${id}` },
  'verify.missing_database': {
    message: ({ count, id }: { count: number; id: string }) => `${count} are in the database but not in the files, e.g. ${id}`,
  },
  'verify.no_file': { message: ({ module }: { module: string }) => `there is no file for ${module}` },
  'verify.record': { message: 'a record cannot be read' },
  'verify.stale': {
    message: ({ count, id }: { count: number; id: string }) => `${count} changed in Zoho after they were pulled, e.g. ${id}`,
  },
  'verify.totals': {
    message: ({ amount, currency, files, api }: { amount: string; currency: string; files: string; api: string }) =>
      `the sum of ${amount} in ${currency || 'no currency'} is ${files} in the files and ${api} in Zoho`,
  },
  'weak_password.common': { message: 'The password is on the list of common ones', remedy: UNRELATED_WORDS },
  'weak_password.like_username': { message: 'The password is hardly more than the user name', remedy: UNRELATED_WORDS },
  'weak_password.repeated_characters': { message: 'The password repeats only a few characters', remedy: UNRELATED_WORDS },
  'weak_password.sequence': { message: 'The password is a row of the alphabet or the keyboard', remedy: UNRELATED_WORDS },
  'weak_password.too_short': {
    message: ({ min_password_length }: { min_password_length: number }) =>
      `The password must have at least ${min_password_length} characters`,
    remedy: UNRELATED_WORDS,
  },
  webhook_delivery_not_found: { message: 'Delivery not found', remedy: 'Deliveries are kept for 14 days.' },
  webhook_disabled: { message: 'The webhook is turned off', remedy: 'Turn it on first.' },
  webhook_not_found: { message: 'Webhook not found', remedy: 'GET /api/webhooks lists them.', page: 'Reload the page.' },
  webhook_url_blocked: {
    message: 'The URL is not one that zinc may send to',
    remedy: 'Use a public http or https URL, or name its host in WEBHOOK_URL_ALLOWLIST.',
  },
  wrong_data_center: {
    message: ({ data_center, set }: { data_center: string; set: string }) =>
      `These credentials belong to the data center ${data_center}, not to ${set}`,
    remedy: ({ data_center, accounts_url }: { data_center: string; accounts_url: string }) =>
      `Set the data center to ${data_center} (${accounts_url}): on the settings page, with POST /api/settings/integrations/zoho {"data_center":"${data_center}"}, or as ZOHO_DATA_CENTER.`,
    page: 'Choose the right data center under Connection and save.',
  },
  zip_too_large: {
    message: ({ files, total_bytes }: { files: number; total_bytes: number }) =>
      `The ZIP extracts to more than ${files} files or ${total_bytes} bytes`,
    remedy: 'Split it, or raise MAX_IMPORT_BYTES.',
  },
  zoho_blocked: { message: "Zoho's per-minute limit was exceeded; all calls are waiting" },
  zoho_circuit_open: {
    message: ({ tries }: { tries: number }) => `Zoho failed to respond ${tries} times in a row; calls are paused for a minute`,
    remedy: ({ until }: { until: string }) => `zinc retries after ${until}. If it keeps failing, check status.zoho.com.`,
  },
  zoho_minute_limit: {
    message: "Zoho's per-minute limit was exceeded; all calls are waiting",
    remedy: 'It resumes automatically. Other programs on the same organization share this limit.',
  },
  zoho_unavailable: { message: 'Zoho is not responding', remedy: 'It resumes automatically. If it keeps failing, check status.zoho.com.' },
  zoho_unavailable_timeout: {
    message: 'Zoho did not respond for hours',
    remedy: 'The next sync fetches what is missing. Check status.zoho.com.',
  },
  zoho_unreachable: {
    message: 'Zoho cannot be reached to sign in',
    remedy: 'Check the network of this machine. zinc retries automatically.',
  },
  'not_verified.unfinished': { message: 'The verification did not finish' },
  sync_failed: { message: 'The sync failed' },
  'not_an_image.by_name': { message: 'This is not an image' },
} satisfies Catalogue

/**
 * Causes of failures in the inbox, by `code`, or `code.stage` where it means something else there:
 * what was imported is not at Zoho.
 */
export const CAUSES = {
  not_an_image: { message: 'Zoho sent a file that is not an image', remedy: 'Attach the image to the item in Zoho again, then retry.' },
  truncated: { message: 'The image is incomplete', remedy: 'Retry. If it keeps failing, attach the image in Zoho again.' },
  corrupt: { message: 'The image is damaged', remedy: 'Save the image again, attach the new file in Zoho, then retry.' },
  no_image_bytes: { message: 'Zoho sent a web page instead of the image', remedy: 'Retry. If it keeps failing, check status.zoho.com.' },
  too_many_pixels: {
    message: 'The image has too many pixels',
    remedy: 'Replace it with a smaller image in Zoho, or raise MAX_INPUT_PIXELS, then retry.',
  },
  side_too_long: {
    message: 'The image is too wide or too high',
    remedy: 'Replace it with a smaller one in Zoho; the limit is 12,000 pixels a side.',
  },
  unsupported_format: { message: 'The image format is not supported', remedy: 'Use JPEG, PNG, WebP, GIF, AVIF or BMP.' },
  image_too_large: { message: 'The image file is too large', remedy: 'Make it smaller, or raise MAX_UPLOAD_BYTES, then retry.' },
  decoder_crash: {
    message: 'The image cannot be decoded',
    remedy: 'Save it again with another program and attach the new file in Zoho.',
  },
  incomplete: { message: 'The image download was incomplete', remedy: 'Retry. The connection to Zoho was interrupted.' },
  download_failed: { message: 'The image download was incomplete', remedy: 'Retry. The connection to Zoho was interrupted.' },
  image_url_failed: {
    message: 'The image’s server did not send it',
    remedy: 'Open the URL in a browser to check it, then retry or use another URL.',
  },
  image_url_blocked: {
    message: 'zinc is not allowed to download the image from this URL',
    remedy: 'Use a public URL, or add its host to IMAGE_URL_ALLOWLIST.',
  },
  invalid_group: {
    message: 'An item group cannot be read',
    remedy: 'Open the group in Zoho Inventory and save it again. The next full sync reads it.',
  },
  invalid_price_list: {
    message: 'A price list cannot be read completely',
    remedy: 'Open the price list in Zoho and save it again. Until then its stored prices stay.',
  },
  price_list_without_items: {
    message: 'Zoho did not send the prices of a price list',
    remedy: 'Nothing was changed. The next sync reads the list again.',
  },
  unknown_rounding: {
    message: 'A price list is rounded in a way that zinc does not know',
    remedy: 'Choose another rounding for the price list in Zoho. Until then it gives no prices.',
  },
  crm_module_missing: {
    message: 'Zoho CRM does not have this module',
    remedy: 'If you need it, show it in Zoho CRM under Setup, Modules and Fields. Otherwise you can dismiss this.',
  },
  placeholder_image: {
    message: 'The URL belongs to a placeholder service, so the item has no image',
    remedy: 'Use the URL of a real image.',
  },
  sku_conflict: { message: 'Items share one SKU', remedy: 'Change the SKU of one of them in Zoho, then retry.' },
  invalid_item: { message: 'An item in Zoho cannot be read', remedy: 'Open it in Zoho, save it again, then retry.' },
  invalid_file_item: { message: 'A record in the file cannot be read', remedy: 'Fix the record and import the file again.' },
  file_item_repeated: {
    message: 'Several records in the file have the same ID',
    remedy: 'Check the IDs in the file: a spreadsheet may have changed them. The last record was used.',
  },
  bad_mapping: {
    message: 'An entry in image_mappings.json cannot be read',
    remedy: 'Write it as "<zoho_item_id>": "<url>" and import the file again.',
  },
  invalid_price: {
    message: 'A price is not a number',
    remedy: 'Correct the price in Zoho. Until then the product keeps its current price.',
  },
  item_id_refused: {
    message: 'Zoho rejects the ID of a product that was imported from a file',
    remedy: 'Import the file again with the correct IDs, and delete the product: DELETE /api/products/{id}.',
    page: 'Import the file again with the correct IDs, and delete the product.',
  },
  mass_delete_stopped: {
    message: 'More than 20 % of the items would be removed',
    remedy: 'Check the items in Zoho. If they were really deleted, run a full sync with confirm_removals=true.',
    page: 'Check the items in Zoho. If they were really deleted, review the removal and confirm it.',
  },
  list_missing_items: {
    message: "Zoho's list left out existing items",
    remedy: 'Nothing is lost. Run a full sync. If it keeps happening, contact Zoho support.',
  },
  'not_an_image.import': {
    message: 'The imported file is not an image',
    remedy: 'Remove it or replace it with an image, then import again.',
  },
  'truncated.import': { message: 'The imported image is incomplete', remedy: 'Get it from its source again and import it again.' },
  'corrupt.import': { message: 'The imported image is damaged', remedy: 'Open it, save it again and import the new file.' },
  'too_many_pixels.import': {
    message: 'The imported image has too many pixels',
    remedy: 'Make it smaller, or raise MAX_INPUT_PIXELS, and import it again.',
  },
  'side_too_long.import': {
    message: 'The imported image is too wide or too high',
    remedy: 'Make it smaller (the limit is 12,000 pixels a side) and import it again.',
  },
  'unsupported_format.import': {
    message: 'The format of the imported image is not supported',
    remedy: 'Save it as JPEG, PNG, WebP, GIF, AVIF or BMP and import it again.',
  },
  'image_too_large.import': {
    message: 'The imported file is too large',
    remedy: 'Make it smaller, or raise MAX_UPLOAD_BYTES, and import it again.',
  },
  'decoder_crash.import': {
    message: 'The imported image cannot be decoded',
    remedy: 'Save it again with another program and import the new file.',
  },
  'file_not_readable.import': {
    message: 'A file of the import cannot be read',
    remedy: 'Check its name and permissions, and import it again.',
  },
  'encrypted.import': {
    message: 'A file in the ZIP has a password',
    remedy: 'Create the ZIP without a password and import it again.',
  },
  'unknown_compression.import': {
    message: 'A file in the ZIP uses an unsupported compression',
    remedy: 'Create a standard ZIP and import it again.',
  },
  'symbolic_link.import': {
    message: 'The import contains a link instead of an image',
    remedy: 'Put the image itself there and import it again.',
  },
  /** What the newest failure says of itself is the cause then. */
  other: { message: '', remedy: 'Retry. If it keeps failing, check the log for its run.' },
} satisfies Catalogue

type ParamsOf<T> = T extends (params: infer P) => string ? P : unknown
/** The facts of an entry, of all its sentences together. */
export type EntryParams<E> = (E extends { message: infer T } ? ParamsOf<T> : unknown) &
  (E extends { remedy: infer T } ? ParamsOf<T> : unknown)
type TextFor<E> = string | ((params: EntryParams<E>) => string)
type Translated<C> = {
  readonly [K in keyof C]: C[K] extends { remedy: unknown }
    ? { message: TextFor<C[K]>; remedy: TextFor<C[K]> }
    : { message: TextFor<C[K]>; remedy?: TextFor<C[K]> }
}
/**
 * What another language has to say: the same messages with the same facts. Its remedies are for
 * people on the page.
 */
export type MessagesIn = Translated<typeof MESSAGES>
export type CausesIn = Translated<typeof CAUSES>
