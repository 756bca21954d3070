import { type Catalogue, type Part, render } from './message.ts'

/** A message or text within another one. */
const text = (part: Part): string => (typeof part === 'string' ? part : (render(MESSAGES, part) ?? part.code))

const LOGIN_LINE = `curl -s -X POST -H 'Content-Type: application/json' -d '{"username":"…","password":"…"}' URL/api/v1/auth/login`
const UPLOAD_AGAIN = 'Open the picture, save it again as JPEG or PNG, and send that.'
const SAVE_AS = 'Save it as JPEG or PNG and send that.'
const OPEN_ADDRESS = 'Open the address in a browser; try again later, or upload the picture.'
const READ_AGAIN = 'Read the product again; it carries a fresh image_url.'
const BEGIN_AGAIN = 'Begin without a cursor and follow next_cursor.'
const WHOLE_ORDER = 'Send a JSON array of the ids of this product, each once, in the wanted order.'
const ANOTHER_ITEM = 'Name another item by zoho_item_id or sku.'
const CHOOSE_ORGANIZATION =
  'Choose one of GET /api/settings/integrations/zoho/organizations (PUT /organization), or check ZOHO_ORGANIZATION_ID; Zoho shows it under Settings → Organization Profile.'
const CHOOSE_UNDER_CONNECTION =
  'Choose the organisation under Connection, or check ZOHO_ORGANIZATION_ID; Zoho shows it under Settings → Organization Profile.'
const NEXT_SYNC = 'zinc tries again at the next sync.'
const NEXT_PULL = 'zinc tries again at the next pull.'
const ENTERED = 'Check what you entered; the line above names the field.'
const START_LATER = 'Nothing was removed. Start the sync again later; if it stays, tell Zoho support.'

/**
 * What the server says to people, by `code`, or `code.reason` where one code says several things. The API sends it in English; the page makes it of the
 * same code and facts in the reader's language. What only a terminal shows is in terminal.ts.
 */
export const MESSAGES = {
  access_denied: {
    message: 'Zoho gives no more access tokens just now: it had too many requests for them',
    remedy: ({ until }: { until: string }) =>
      `zinc signs in again by itself after ${until}. Do not press Test until then: each try makes Zoho wait longer. Other programs with the same refresh token use up the same ten tokens in ten minutes.`,
  },
  access_token_refused: {
    message: 'Zoho refuses the access token, also a new one',
    remedy: 'Check the data centre, then connect to Zoho again.',
  },
  ambiguous_reference: {
    message: ({ reference }: { reference: string }) => `More than one product has ${reference}`,
    remedy: 'Name the product by one of these ids, or by zoho:….',
  },
  ambiguous_sku: { message: ({ products }: { products: number }) => `${products} products have this SKU; name the file by the Zoho id` },
  answer_cut: { message: 'the answer broke off' },
  answer_endless: { message: 'the answer does not end' },
  answer_late: { message: 'the answer took too long' },
  answer_limit: { message: 'a limit of Zoho' },
  answer_not_image: { message: 'a page or JSON instead of an image' },
  answer_not_json: { message: 'not JSON (a page, or cut)' },
  answer_not_utf8: { message: 'the answer is not UTF-8' },
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
  bad_mapping: {
    message: ({ key }: { key: string }) => `The entry "${key}" of image_mappings.json is no item id with an address. The others are used.`,
  },
  bad_request: {
    message: ({ fields }: { fields: { field: string; message: string }[] }) =>
      fields.map(({ field, message }) => `${field} ${message}`)[0] ?? '',
    remedy: 'GET /docs shows what this address takes.',
    page: ENTERED,
  },
  'bad_request.blank_names': {
    message: ({ field }: { field: string }) => `assortment.${field} holds nothing but blanks`,
    remedy: ({ field }: { field: string }) => `Name at least one, or send "${field}": null.`,
  },
  'bad_request.body': {
    message: 'The body is wrong: it must be a JSON object',
    remedy: 'GET /docs shows what this address takes.',
    page: ENTERED,
  },
  'bad_request.form_character': { message: 'The form holds a character that cannot be stored' },
  'bad_request.no_file': { message: 'file is required', remedy: 'curl -F file=@picture.jpg …' },
  'bad_request.no_host': { message: 'The Host header is missing' },
  'bad_request.no_item_id': {
    message: 'item_id is required: the notice names no item',
    remedy: "Use Zoho's default payload of the module Items, or a JSON body with item_id.",
  },
  'bad_request.no_zip': { message: 'file is required', remedy: 'curl -F file=@pictures.zip …' },
  'bad_request.not_boolean': { message: ({ field }: { field: string }) => `${field} is wrong: must be true or false` },
  'bad_request.not_http': {
    message: 'This is not HTTP that can be read',
    remedy: 'Percent-encode the address, as curl -G --data-urlencode does; TLS ends at a proxy.',
  },
  'bad_request.other_part': { message: ({ part }: { part: string }) => `file is required: there is a part named ${JSON.stringify(part)}` },
  'bad_request.refresh_token': { message: 'refresh_token is required', remedy: 'Send the refresh_token that the login answered.' },
  'bad_request.size': { message: 'size is required with which=size: thumb or medium' },
  'bad_request.too_long': { message: ({ field }: { field: string }) => `${field} is wrong: at most 500 characters` },
  'bad_request.too_many_reports': {
    message: ({ max }: { max: number }) => `sync_batch has more than ${max} reports`,
    remedy: 'Send them in parts.',
  },
  'bad_request.url_character': { message: 'The address holds a character that cannot be stored' },
  call_refused: {
    message: ({ said }: { said: string }) => `Zoho refuses the call: ${said}`,
    remedy: 'This is likely an error of zinc or a change at Zoho. Nothing was changed; the log of calls shows it.',
  },
  challenge_invalid: { message: 'This login has expired, or began at another address', remedy: 'Log in again with name and password.' },
  'check.bytes': { message: ({ bytes }: { bytes: number }) => `${bytes} bytes` },
  'check.calls_left': {
    message: ({ left, limit, until }: { left: number; limit: number | null; until: string }) =>
      `${left} of ${limit} calls are left until ${until}`,
  },
  'check.clock': { message: ({ seconds }: { seconds: number }) => `differs from Zoho's by ${seconds} s` },
  'check.module_hidden': {
    message: 'Zoho CRM has no such module: it is hidden or has another name there. Syncs leave it out.',
  },
  'check.no_image': { message: 'None of the items that were looked at has a picture' },
  'check.no_items': { message: 'The organisation has no items yet' },
  'check.no_time': { message: 'Zoho told no time' },
  'check.not_signed_in_again': {
    message: ({ until }: { until: string }) =>
      `Not signed in again: Zoho gives ten tokens in ten minutes. The calls use the token that zinc has; test again after ${until}.`,
  },
  'check.quota_not_told': { message: 'Zoho has not told the quota of this day yet' },
  clock_wrong: {
    message: ({ seconds }: { seconds: number }) => `The clock of the database's machine differs from Zoho's by ${seconds} s`,
    remedy: 'Let that machine set its clock by NTP; zinc goes by it.',
  },
  concurrency_limited: { message: 'enough calls are under way' },
  consent_denied: {
    message: 'Zoho did not give its consent',
    remedy: 'Press "Connect to Zoho" again and accept; Zoho shows which rights zinc asks for.',
  },
  consent_link_expired: {
    message: 'This link was used, replaced or withdrawn, or it is older than three days',
    remedy: 'Ask whoever sent it for a new one.',
  },
  corrupt: { message: 'The picture is damaged and cannot be read', remedy: UPLOAD_AGAIN },
  'corrupt.bmp': { message: 'The BMP cannot be read', remedy: UPLOAD_AGAIN },
  'corrupt.checksum': { message: 'The picture is damaged: a checksum inside is wrong', remedy: UPLOAD_AGAIN },
  'corrupt.coding': { message: 'The coding of the pixels is unknown', remedy: UPLOAD_AGAIN },
  'corrupt.depth': { message: ({ depth }: { depth: number }) => `A BMP has no ${depth} bits for a pixel`, remedy: UPLOAD_AGAIN },
  'corrupt.header': { message: 'The pixels begin inside the header', remedy: UPLOAD_AGAIN },
  'corrupt.in_zip': { message: 'The file is damaged inside the ZIP', remedy: 'Pack it again.' },
  'corrupt.no_size': { message: 'The picture has no size', remedy: UPLOAD_AGAIN },
  'corrupt.unreadable': { message: 'The picture cannot be read', remedy: UPLOAD_AGAIN },
  crm_limit: {
    message: "Zoho CRM's limit is reached",
    remedy: ({ resets_at }: { resets_at: string }) => `It goes on by itself at ${resets_at}.`,
  },
  csrf_rejected: {
    message: 'This change did not come from the page of zinc',
    remedy: 'Use the page itself, or a Bearer token. Behind a proxy that ends https set PUBLIC_URL and TRUSTED_PROXIES.',
  },
  cursor_ahead: {
    message: 'The cursor can only be moved back: what lies between would never be read',
    remedy: ({ now }: { now: string | null }) =>
      now === null ? 'The next sync reads everything anyway.' : `Choose a moment before ${now}.`,
  },
  cursor_expired: {
    message: 'This cursor is older than the deletions that are kept',
    remedy:
      'Begin without a cursor: list everything, keep what is equal, remove what is not listed. TOMBSTONE_DAYS sets how long they are kept.',
  },
  'cursor_expired.products': {
    message: 'This cursor is older than the deletions that are kept',
    remedy:
      'Begin without a cursor: read everything, keep what is equal, remove what does not come. TOMBSTONE_DAYS sets how long they are kept.',
  },
  daily_quota_exceeded: {
    message: "The day's quota of Zoho calls is spent",
    remedy: ({ resets_at }: { resets_at: string }) => `It goes on by itself at ${resets_at}.`,
  },
  'daily_quota_exceeded.test': {
    message: "The day's calls are spent",
    remedy: ({ resets_at }: { resets_at: string }) => `Zoho gives new ones at ${resets_at}; zinc goes on by itself.`,
  },
  database_unavailable: {
    message: 'The database does not answer',
    remedy: 'Try again in a few seconds; zinc goes on as soon as it is back.',
  },
  decoder_crash: { message: 'The picture cannot be decoded within the limits of memory and time', remedy: UPLOAD_AGAIN },
  decryption_key_missing: {
    message: ({ fields }: { fields: readonly string[] }) => `The stored ${fields.join(', ')} cannot be opened with the key at hand`,
    remedy: 'Start zinc with the CREDENTIALS_KEY that sealed it (`new,old` while rotating), or enter the value again.',
  },
  detail_malformed: { message: ({ key }: { key: string }) => `Zoho's answer has no ${key}`, remedy: NEXT_PULL },
  differs: {
    message: ({ found }: { found: { module: string; problem: Part }[] }) =>
      found.map(({ module, problem }) => `${module}: ${text(problem)}`).join('; '),
    remedy: 'A repair fetches just what differs: `zinc verify --repair`.',
  },
  'differs.repaired': {
    message: ({ found }: { found: { module: string; problem: Part }[] }) =>
      found.map(({ module, problem }) => `${module}: ${text(problem)}`).join('; '),
    remedy: 'Pull the named modules in full.',
  },
  download_failed: { message: 'The picture did not arrive whole, although it was asked for again' },
  edge_token_not_allowed: {
    message: 'The token of an edge server opens the photo sync of its store only',
    remedy: 'Log in as a person for this.',
  },
  edge_token_not_found: { message: 'Token not found', remedy: 'GET …/stores/{id}/tokens lists them.' },
  encrypted: { message: 'Encrypted files cannot be read' },
  epoch_changed: {
    message: 'This cursor was given by another database than the one that answers now',
    remedy: 'Begin without a cursor: list everything, keep what is equal, remove what is not listed.',
  },
  'epoch_changed.products': {
    message: 'This cursor was given by another database than the one that answers now',
    remedy: 'Begin without a cursor: read everything, keep what is equal, remove what does not come.',
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
      `it is not the file that was written: ${rows} rows, ${bytes} bytes; the manifest says ${manifest_rows} rows, ${manifest_bytes} bytes`,
  },
  'file.cut': { message: 'it ends too early' },
  'file.lines_alone': { message: ({ id }: { id: string }) => `line items of ${id} stand without their document` },
  'file.missing': { message: 'the file is missing' },
  'file.no_manifest': { message: 'its folder has no manifest.json that can be read' },
  'file.no_member': { message: ({ member }: { member: string }) => `it is an object without an array named ${member}` },
  'file.not_array': { message: ({ found }: { found: string }) => `it is not an array of records (found ${JSON.stringify(found)})` },
  'file.not_listed': { message: 'manifest.json does not name it' },
  'file.not_utf8': { message: 'it is not UTF-8' },
  'file_item.no_id': { message: 'it has no zoho_item_id' },
  'file_item.no_name': { message: 'it has no name' },
  'file_item.no_object': { message: 'it is no object' },
  'file_item.not_digits': { message: ({ value }: { value: string }) => `its zoho_item_id is not made of digits: ${value}` },
  'file_item.not_number': { message: ({ field, value }: { field: string; value: string }) => `its ${field} is not a number: ${value}` },
  'file_item.not_text': { message: ({ field }: { field: string }) => `its ${field} is no text` },
  'file_item.rounded_id': { message: 'its zoho_item_id was rounded; write it as text' },
  'file_item.shortened_id': {
    message: ({ value }: { value: string }) =>
      `Excel has shortened this id (${value}); make the column Text in the source and export it again`,
  },
  'file_item.too_long': { message: ({ field }: { field: string }) => `its ${field} is longer than 500 characters` },
  file_item_repeated: {
    message: ({ number, file, id }: { number: number; file: string; id: string }) =>
      `Item ${number} of ${file} has the id of an earlier one (${id}). What it says replaced what the earlier one said.`,
  },
  file_not_readable: { message: 'The file cannot be read', remedy: 'Check its name and who may read it.' },
  files_differ: {
    message: ({ files }: { files: number }) => `${files} files are not as they should be`,
    remedy: 'Repair them under Media, or with `zinc images verify --repair`.',
  },
  fixed_source: {
    message: ({ field, source }: { field: string; source: string }) => `${field} is always read from ${source}`,
    remedy: 'Choose an owner for it instead.',
  },
  folder_not_readable: {
    message: ({ folder }: { folder: string }) => `The folder ${folder} cannot be read`,
    remedy: 'Check its name and who may read it.',
  },
  forbidden: { message: ({ role }: { role: string }) => `This needs the role ${role}`, remedy: 'Ask an admin to do it, or for the role.' },
  'forbidden.key_scopes': {
    message: ({ role, scopes }: { role: string; scopes: readonly string[] }) => `The role ${role} may not give a key ${scopes.join(', ')}`,
    remedy: 'Leave these scopes out, or ask an admin to make the key.',
  },
  gcp_secrets_unavailable: {
    message: "Google's Secret Manager does not give the Zoho credentials",
    remedy:
      'Check GCP_PROJECT_ID and GOOGLE_APPLICATION_CREDENTIALS, and that the account may access the secrets ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET and ZOHO_REFRESH_TOKEN.',
  },
  general_error: {
    message: 'Zoho could not sign zinc in and does not say why',
    remedy: 'zinc tries again by itself. If it stays for an hour, connect to Zoho again.',
  },
  headers_too_large: { message: 'The request headers are too large', remedy: 'Send fewer or shorter ones.' },
  image_file_damaged: { message: 'The file of this picture is damaged', remedy: 'Run `zinc images verify --repair`.' },
  image_file_missing: { message: 'The picture is known but its file is missing', remedy: 'Run `zinc images verify --repair`.' },
  image_from_zoho: { message: "The primary picture is Zoho's own", remedy: 'Make an upload primary first.' },
  image_not_deleted: { message: 'This image is not deleted' },
  image_not_found: { message: 'Image not found', remedy: 'GET the images of the product; each has its id.' },
  'image_not_found.file': { message: 'There is no such picture', remedy: 'The product says in image_url where its picture is.' },
  'image_not_found.none': { message: 'The product has no picture', remedy: 'Upload one first.' },
  'image_order_mismatch.other_product': {
    message: ({ ids }: { ids: readonly string[] }) => `Not an image of this product: ${ids.join(', ')}`,
    remedy: WHOLE_ORDER,
  },
  'image_order_mismatch.twice': { message: 'An image is named twice', remedy: WHOLE_ORDER },
  image_removed: { message: 'The picture was removed while it came in', remedy: 'Send it again.' },
  image_replaced: {
    message: 'The picture was replaced since this address was made',
    remedy: 'Read the product again; it carries the new image_url.',
  },
  image_too_large: {
    message: ({ max_bytes }: { max_bytes: number }) => `The picture is larger than ${max_bytes} bytes`,
    remedy: 'Send a smaller one, or raise MAX_UPLOAD_BYTES.',
  },
  'image_too_large.file': { message: ({ max_bytes }: { max_bytes: number }) => `Larger than ${max_bytes} bytes` },
  'image_too_large.url': {
    message: ({ max_bytes }: { max_bytes: number }) => `The picture is larger than ${max_bytes} bytes`,
    remedy: 'Use a smaller one, or raise MAX_UPLOAD_BYTES.',
  },
  'image_too_large.zoho': {
    message: ({ max_bytes }: { max_bytes: number }) => `Zoho takes pictures of at most ${max_bytes} bytes`,
    remedy: 'Upload a smaller one.',
  },
  image_url_blocked: {
    message: 'The address of the picture is not one that zinc may fetch',
    remedy: 'Use a public http or https address, check how its host is written, or name the host in IMAGE_URL_ALLOWLIST.',
  },
  'image_url_failed.cut': { message: 'The picture broke off on the way', remedy: OPEN_ADDRESS },
  'image_url_failed.packed': { message: 'The server of the picture packed it in a way that zinc does not read', remedy: OPEN_ADDRESS },
  'image_url_failed.status': {
    message: ({ status }: { status: number }) => `The server of the picture answered HTTP ${status}`,
    remedy: OPEN_ADDRESS,
  },
  'image_url_failed.unreachable': { message: 'The server of the picture cannot be reached', remedy: OPEN_ADDRESS },
  image_url_invalid: { message: 'This picture address was altered', remedy: READ_AGAIN },
  'image_url_invalid.ended': { message: 'This picture address has ended', remedy: READ_AGAIN },
  import_file_not_found: {
    message: ({ file, folder }: { file: string; folder: string }) => `There is no file ${file} in ${folder}`,
    remedy: ({ default_file }: { default_file: string }) => `Put it there; without \`file\` zinc looks for ${default_file}.`,
  },
  import_file_too_large: {
    message: ({ file, size, max_bytes }: { file: string; size: number; max_bytes: number }) =>
      `${file} has ${size} bytes; at most ${max_bytes} are read`,
    remedy: 'Split it, or raise MAX_IMPORT_BYTES.',
  },
  'import_file_too_large.mappings': {
    message: ({ file, size, max_bytes }: { file: string; size: number; max_bytes: number }) =>
      `${file} has ${size} bytes; at most ${max_bytes} are read`,
    remedy: 'Put the addresses into the items as image_url.',
  },
  import_not_found: { message: 'There is no such import, or it has expired', remedy: 'Send the ZIP again; a preview is kept for a day.' },
  import_started: { message: 'This import was started already', remedy: 'See its run, or send the ZIP again.' },
  import_too_large: {
    message: ({ total_bytes }: { total_bytes: number }) => `The ZIP is larger than ${total_bytes} bytes`,
    remedy: 'Split it, or raise MAX_IMPORT_BYTES.',
  },
  incomplete: {
    message: ({ size, expected_bytes }: { size: number; expected_bytes: number }) =>
      `${size} bytes of the picture came, ${expected_bytes} were announced`,
    remedy: 'It is tried again at the next sync.',
  },
  insufficient_scope: {
    message: ({ required_scope }: { required_scope: string }) => `The API key lacks the scope ${required_scope}`,
    remedy: 'Make a key with this scope. A key never may do more than the person who made it.',
  },
  integration_disabled: {
    message: 'The integration with Zoho is switched off',
    remedy: 'Switch it on: POST /api/settings/integrations/zoho {"enabled":true}.',
    page: 'Switch it on under Connection.',
  },
  internal: { message: 'Something went wrong in zinc', remedy: 'The log explains it under this request_id.' },
  'internal.module': { message: 'Something unforeseen went wrong in zinc', remedy: 'The log names it under this run. Pull again.' },
  'internal.run': {
    message: 'Something unforeseen went wrong in zinc.',
    remedy: 'The log names it under this run_id. Start the run again; nothing is lost.',
  },
  invalid_address: {
    message: ({ field, protocols }: { field: string; protocols: readonly string[] }) =>
      `${field} is wrong: it must be an address that begins with ${protocols.map((it) => `${it}//`).join(' or ')}`,
  },
  'invalid_address.mail': { message: 'email is wrong: it must be mail addresses, separated by commas' },
  invalid_client: {
    message: 'Zoho does not know this client id in this data centre',
    remedy:
      'Compare client_id with the Zoho API console, and the data centre with the address of your console (api-console.zoho.eu means eu).',
  },
  invalid_client_secret: {
    message: 'The client secret is not the one of this client id',
    remedy:
      'Copy the client secret again from the Zoho API console of your data centre; clients for several data centres have one secret each.',
  },
  invalid_code: {
    message: 'Zoho does not take the refresh token: it was revoked, or belongs to another client or data centre',
    remedy:
      'Connect to Zoho again ("Connect to Zoho", or a new self-client code). A changed password, a removed user or a 21st refresh token of the same user ends old ones.',
  },
  'invalid_code.exchange': {
    message: 'Zoho does not take the code: it was used already, is older than its few minutes, or belongs to another client or data centre',
    remedy:
      'Generate a new code and paste it at once; choose 10 minutes in the Zoho API console. Check the client id and the data centre if it stays.',
  },
  'invalid_code.second_factor': {
    message: 'The code is wrong or was used before',
    remedy: 'Enter the next code of the authenticator app. If none works, check that the phone sets its clock automatically.',
  },
  invalid_credentials: {
    message: 'Wrong username or password',
    remedy: 'Check both. The first password is printed once at the first start; `zinc user passwd` sets a new one.',
  },
  'invalid_credentials.current_password': {
    message: 'The current password is wrong',
    remedy: 'Type it again, or have an admin set a new one.',
  },
  invalid_cursor: { message: 'cursor is not one that zinc gave', remedy: BEGIN_AGAIN },
  'invalid_cursor.list': { message: 'cursor is not one that zinc gave for this list', remedy: BEGIN_AGAIN },
  'invalid_cursor.other_sort': {
    message: 'cursor belongs to a list with another sort',
    remedy: 'Begin without a cursor and follow next_cursor with the same sort.',
  },
  'invalid_cursor.sorted': {
    message: 'cursor is not one that zinc gave',
    remedy: 'Begin without a cursor and follow next_cursor with the same sort.',
  },
  'invalid_cursor.store': { message: 'cursor is not one that zinc gave for this store', remedy: BEGIN_AGAIN },
  invalid_file_item: {
    message: ({ number, file, problem }: { number: number; file: string; problem: Part }) =>
      `Item ${number} of ${file} cannot be read: ${text(problem)}. The others are synced.`,
  },
  invalid_file_name: {
    message: 'file is wrong: it must be a plain file name',
    remedy: ({ folder }: { folder: string }) => `Put the file into ${folder} and name it without a folder.`,
  },
  'invalid_file_name.link': {
    message: ({ file, folder }: { file: string; folder: string }) => `${file} is a link to a file outside of ${folder}`,
    remedy: 'Copy the file itself into the folder.',
  },
  invalid_grant: {
    message: 'Zoho does not take the refresh token as a grant: it was revoked or is no refresh token',
    remedy:
      'Connect to Zoho again ("Connect to Zoho", or a new self-client code). Check that refresh_token is not an access token or a grant code.',
  },
  invalid_import_file: {
    message: ({ file, problem }: { file: string; problem: Part }) => `${file} is not a JSON array of items: ${text(problem)}`,
    remedy: "Export it again; it must be an array, in Zoho's own shape or in zinc's.",
  },
  invalid_item: {
    message: ({ field, name }: { field: Part; name: string }) =>
      `The ${text(field)} of ${name} cannot be read; the product keeps the one that it has.`,
  },
  'invalid_item.no_id': {
    message: ({ name }: { name: string | undefined }) =>
      `Zoho lists an item without an id that can be read${name ? `: ${name}` : ''}. The others are synced.`,
  },
  'invalid_item.too_long': {
    message: ({ field, name }: { field: Part; name: string }) =>
      `The ${text(field)} of ${name} is no text of at most 500 characters; the product keeps the one that it has.`,
  },
  invalid_json: {
    message: ({ problem }: { problem: string }) => `The body is not JSON that is taken here: ${problem}`,
    remedy: 'In a shell put the whole of it into single quotes, as in -d \'{"key":"value"}\'.',
  },
  invalid_mappings: {
    message: ({ file }: { file: string }) => `${file} is not an object of item ids and addresses`,
    remedy: 'Write it as {"<zoho_item_id>": "<url>"}, or take it away.',
  },
  invalid_multipart: { message: 'The form cannot be read' },
  'invalid_multipart.cut': {
    message: 'The form cannot be read or broke off',
    remedy: 'Send it as multipart/form-data, e.g. curl -F file=@picture.jpg',
  },
  invalid_price: {
    message: ({ field, name }: { field: Part; name: string }) =>
      `The ${text(field)} of ${name} is no number in Zoho; the product keeps the one that it has.`,
  },
  invalid_redirect_uri: {
    message: 'The address that Zoho sends people back to is not the registered one',
    remedy:
      'Register the redirect address that GET /api/settings/integrations/zoho/scopes shows with your client in the Zoho API console, and check PUBLIC_URL.',
    page: 'Register the redirect address that stands under Connection with your client in the Zoho API console, and check PUBLIC_URL.',
  },
  invalid_schedule: {
    message: ({ problem }: { problem: string }) => `schedule is wrong: ${problem}`,
    remedy: 'A cron line has five fields, e.g. */15 * * * * (every 15 minutes) or 5 1,13 * * * (at 1:05 and 13:05).',
  },
  'invalid_schedule.no_such_day': { message: 'schedule is wrong: there is no such day', remedy: 'Choose a day that exists.' },
  invalid_scope: {
    message: 'Zoho does not know one of the scopes',
    remedy: 'Use exactly the line that GET /api/settings/integrations/zoho/scopes shows.',
    page: 'Use exactly the line of scopes that stands under Connection.',
  },
  invalid_selection: {
    message: ({ module }: { module: string }) => `modules is wrong: it has no ${module}`,
    remedy: ({ offered }: { offered: readonly string[] }) =>
      offered.length === 0 ? 'This module is taken whole.' : `One or more of: ${offered.join(', ')}; null for all.`,
  },
  'invalid_selection.none': {
    message: 'modules must name at least one',
    remedy: ({ offered }: { offered: readonly string[] }) =>
      offered.length === 0 ? 'This module is taken whole.' : `One or more of: ${offered.join(', ')}; null for all.`,
  },
  invalid_signature: {
    message: 'The notice is not signed with the secret that is set here',
    remedy: 'Set the same secret in Zoho (Settings, Automation, Webhooks) and as webhook_secret on the settings page.',
  },
  invalid_state: {
    message: 'This way back from Zoho was not begun here, was used already, or is older than ten minutes',
    remedy: 'Begin again where you came from, in this browser.',
  },
  invalid_time: {
    message: ({ field, text }: { field: string; text: string }) => `${field} is not a time: ${text}`,
    remedy: 'Write it as 2026-11-20T08:30:00.000Z.',
  },
  item_id_refused: {
    message: ({ id }: { id: string }) => `Zoho refuses the item id ${id}; the product stays as it is. The others are synced.`,
  },
  item_not_found: { message: ({ id }: { id: string }) => `Zoho has no item ${id}`, remedy: ANOTHER_ITEM },
  'item_not_found.none': { message: 'Zoho has no items yet', remedy: ANOTHER_ITEM },
  'item_not_found.sku': { message: ({ sku }: { sku: string }) => `There is no product with the SKU ${sku}`, remedy: ANOTHER_ITEM },
  last_admin: { message: 'The last admin stays', remedy: 'Make somebody else an admin first.' },
  list_malformed: { message: ({ key }: { key: string }) => `Zoho's answer has no ${key}`, remedy: NEXT_SYNC },
  'list_malformed.crm': { message: "Zoho CRM's answer has no data", remedy: NEXT_SYNC },
  list_missing_items: {
    message: ({ items }: { items: number }) =>
      `Zoho's list left out ${items} items that it still has; zinc read them one by one. Nothing is lost.`,
  },
  list_truncated: {
    message: ({ path }: { path: string }) => `Zoho's list ${path} is much shorter than what is known`,
    remedy: 'Nothing was changed. If so many records were really deleted, pull the module in full and confirm the removals.',
  },
  list_unordered: {
    message: ({ path }: { path: string }) => `Zoho does not list ${path} in the order that was asked for`,
    remedy: START_LATER,
  },
  login_rate_limited: {
    message: 'Too many failed logins',
    remedy:
      'Wait as long as Retry-After says and try again, or use a browser that was logged in before. Behind a proxy set TRUSTED_PROXIES: without it all callers count as one address.',
  },
  'mass_delete_stopped.items': {
    message: ({ removed, known }: { removed: number; known: number }) =>
      `${removed} of ${known} items are gone from Zoho, more than a fifth; nothing was removed. Run it again with confirm_removals=true if that is right.`,
  },
  mass_delete_stopped: {
    message: ({ removed, pictures }: { removed: number; pictures: number }) =>
      `This assortment would take ${removed} of ${pictures} pictures from the store`,
    remedy: 'Compare the SKUs and categories with the catalogue. If it is meant, send it again with ?confirm_removals=true.',
    page: 'Check the items in Zoho. If it is right, plan the removal and confirm it.',
  },
  'mass_delete_stopped.crm': {
    message: ({ removed, known, module }: { removed: number; known: number; module: string }) =>
      `${removed} of ${known} ${module} are not in Zoho's list any more, which is more than a fifth; none was taken for deleted.`,
  },
  'mass_delete_stopped.pull': {
    message: ({ removed, known, module }: { removed: number; known: number; module: string }) =>
      `${removed} of ${known} ${module} are gone from Zoho's list; nothing was removed`,
    remedy: 'If that is right, pull the module in full with confirm_removals (--full --confirm-removals on the command line).',
    page: 'Check the items in Zoho. If it is right, plan the removal and confirm it.',
  },
  method_not_allowed: {
    message: ({ method }: { method: string }) => `${method} is not possible at this address`,
    remedy: 'GET /docs lists every address and method.',
    page: 'Reload the page; zinc may have been updated.',
  },
  metrics_forbidden: { message: 'Metrics are for this machine and for admins', remedy: 'Set METRICS_TOKEN and send it as a Bearer token.' },
  missing_id: {
    message: ({ module, field }: { module: string; field: string }) => `A row of Zoho's ${module} has no ${field}`,
    remedy: 'Nothing is skipped: the module is tried again at the next pull. If it stays, tell Zoho support.',
  },
  module_disabled: {
    message: ({ name }: { name: string }) => `${name} is switched off`,
    remedy: ({ module }: { module: string }) => `Switch it on: PATCH /api/settings/integrations/zoho/modules/${module} {"enabled":true}.`,
    page: 'Switch it on under Modules, then sync.',
  },
  module_not_found: {
    message: 'Module not found',
    remedy: ({ modules }: { modules: readonly string[] }) => `One of: ${modules.join(', ')}.`,
  },
  'module_not_found.books': {
    message: ({ module }: { module: string }) => `Zoho Books has no module ${module}`,
    remedy: ({ modules }: { modules: readonly string[] }) => `It has: ${modules.join(', ')}.`,
  },
  multipart_required: { message: 'The body must be multipart/form-data with a part named file', remedy: 'curl -F file=@picture.jpg …' },
  no_data: { message: 'Nothing was pulled yet', remedy: 'Pull first: `zinc fetch all`, or POST /api/pulls/.', page: 'Start a pull first.' },
  no_product: { message: 'No product has this SKU or Zoho id' },
  no_refresh_token: {
    message: 'Zoho took the code but gave no refresh token',
    remedy: 'Generate a new code; with the consent page, access must be offline and asked for again (prompt=consent).',
  },
  no_remote_source: {
    message: 'Neither Zoho nor an address has a picture of this product',
    remedy: 'Upload one, or add it in Zoho and sync.',
  },
  no_such_folder: {
    message: ({ directory }: { directory: string }) => `There is no folder ${directory}`,
    remedy: 'Name a raw_json/<stamp> folder.',
  },
  no_such_module: {
    message: ({ app, module }: { app: string; module: string }) => `modules is wrong: Zoho ${app} has no ${module}`,
    remedy: ({ modules }: { modules: readonly string[] }) => `It has: ${modules.join(', ')}.`,
  },
  no_webhook_secret: {
    message: 'There is no secret yet to sign a notice with',
    remedy: 'Make one first, here or by setting webhook_secret.',
  },
  'no_remote_source.uploaded': { message: 'It was uploaded here, so nobody else has it', remedy: 'Upload the picture again.' },
  not_a_zip: { message: 'This is not a ZIP file that can be read', remedy: 'Pack the folders of pictures as .zip and send that.' },
  'not_a_zip.damaged': { message: 'The ZIP is damaged', remedy: 'Pack it again and send that.' },
  not_an_image: { message: 'These bytes are not a picture', remedy: UPLOAD_AGAIN },
  not_for_keys: { message: 'This operation is closed to API keys', remedy: 'Log in as a person for this.' },
  not_found: {
    message: 'There is nothing at this address',
    remedy: 'GET /docs lists every address.',
    page: 'Go back to where you came from.',
  },
  not_found_in_zoho: { message: 'Zoho has no such record' },
  'not_found_in_zoho.picture': { message: 'Zoho has no picture' },
  not_in_assortment: { message: 'This photo is not in what the store sells', remedy: 'Remove it, and read the list again.' },
  not_in_zoho: { message: 'Zoho does not have this product', remedy: 'Only items of Zoho can get a picture there.' },
  not_set_up: {
    message: ({ missing }: { missing: string[] }) =>
      `Zoho is not set up yet: ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`,
    remedy: ({ missing }: { missing: string[] }) =>
      `Set ${missing.join(', ')} on the settings page, with POST /api/settings/integrations/zoho, or as ${missing.map((it) => `ZOHO_${it.toUpperCase()}`).join(', ')} in .env and start zinc again.`,
    page: 'Enter what is missing under Credentials on the Connection page, or set it in the environment.',
  },
  not_verified: {
    message: 'This session was not verified yet',
    remedy: ({ session }: { session: string }) => `POST /api/pulls/${session}/verify`,
    page: 'Check it first.',
  },
  nothing_to_retry: {
    message: 'None of these failures can be tried again',
    remedy: 'GET /api/settings/integrations/zoho/failures says what helps instead.',
    page: 'Follow what stands beside each cause.',
  },
  oauth_unavailable: {
    message: ({ status }: { status: number }) => `Zoho's sign-in does not work just now: it answered with status ${status} and no token`,
    remedy: 'zinc tries again by itself. If it stays, see status.zoho.com.',
  },
  organization_not_found: {
    message: 'The account has no such organisation',
    remedy: 'Choose one of GET /api/settings/integrations/zoho/organizations.',
    page: 'Choose one of the list under Connection.',
  },
  organization_not_set: { message: 'No organisation is chosen', remedy: CHOOSE_ORGANIZATION, page: CHOOSE_UNDER_CONNECTION },
  organization_untried: {
    message: 'Not tried: the organisation is not the right one',
    remedy: CHOOSE_ORGANIZATION,
    page: CHOOSE_UNDER_CONNECTION,
  },
  overloaded: { message: 'Too many uploads are under way', remedy: 'Send it again in a few seconds.' },
  'overloaded.archives': {
    message: 'Too many archives are under way',
    remedy: ({ limit }: { limit: number }) => `Read an archive to its end before the next one; ${limit} at a time are given to one token.`,
  },
  'overloaded.connections': {
    message: 'zinc has as many connections as it can bear',
    remedy: 'Send it again in a few seconds. A higher limit of open files (ulimit -n) gives room for more.',
  },
  'overloaded.images': { message: 'Too many pictures are being worked on', remedy: 'Try again in a few seconds.' },
  owned_by_zoho: {
    message: ({ fields }: { fields: readonly string[] }) => `${fields.join(', ')} is written by Zoho; the next sync would undo the change`,
    remedy: 'Change it in Zoho, or give the field to the ERP: PUT /api/settings/integrations/zoho/mapping.',
    page: 'Change it in Zoho, or give the field to the ERP in the mapping under Modules.',
  },
  pagination_loop: {
    message: ({ problem }: { problem: string }) => `Zoho's list does not lead to an end: ${problem}`,
    remedy: START_LATER,
  },
  'pagination_loop.books': {
    message: ({ path }: { path: string }) => `Zoho's list ${path} does not lead to an end`,
    remedy: 'Nothing was removed. Start the pull again later; if it stays, tell Zoho support.',
  },
  'pagination_loop.crm': {
    message: ({ problem }: { problem: string }) => `Zoho CRM's list does not lead to an end: ${problem}`,
    remedy: START_LATER,
  },
  paused_by_user: { message: 'Paused by a person' },
  payload_too_large: {
    message: ({ max_bytes }: { max_bytes: number }) => `The body is larger than ${max_bytes} bytes`,
    remedy: 'Send it in parts.',
  },
  'payload_too_large.form': {
    message: ({ total_bytes }: { total_bytes: number }) => `The form is larger than ${total_bytes} bytes`,
    remedy: 'Send fewer or smaller files at a time.',
  },
  photo_deleted: { message: 'This photo was deleted', remedy: 'Remove it, and read the list again.' },
  photo_not_found: { message: 'Photo not found', remedy: 'Read the list again; it names every photo of the store.' },
  'photo_not_found.product': {
    message: 'Photo not found',
    remedy: 'GET /api/products/{id}/images names the photos of a product.',
    page: 'Reload the page; somebody may have deleted it.',
  },
  placeholder_image: { message: 'The address is one of a placeholder service' },
  precondition_failed: {
    message: 'The file is not the one that If-Match names',
    remedy: 'Ask again without If-Match for the present one.',
  },
  product_deleted: { message: 'The product is deleted', remedy: 'It comes back when Zoho lists it again; then change its images.' },
  product_in_zoho: {
    message: 'Zoho has this product; the next sync would bring it back',
    remedy: 'Delete the item in Zoho; the next full sync removes it here.',
  },
  product_not_found: {
    message: 'Product not found',
    remedy: 'Name it by its id, by sku:…, zoho:…, ean:…, upc:…, isbn:… or part:…; GET /api/products?search=… finds it.',
    page: 'Go back to the products and look for it by its name or SKU.',
  },
  'product_not_found.deleted': { message: 'The product is deleted already', remedy: 'Nothing is left to do.' },
  quota_nearly_exhausted: { message: 'the last calls of the day are under way' },
  range_not_satisfiable: {
    message: ({ size }: { size: number }) => `The file has ${size} bytes; the part begins behind them`,
    remedy: 'Ask for the whole file, without Range.',
  },
  rate_limited_minute: { message: ({ limit }: { limit: number }) => `zinc makes at most ${limit} calls a minute` },
  record_mismatch: {
    message: ({ module, id }: { module: string; id: string }) => `Zoho answered with another record than ${module} ${id}`,
    remedy: NEXT_PULL,
  },
  refresh_token_invalid: { message: 'The refresh token is not valid any more', remedy: 'Log in again.' },
  request_timeout: { message: 'The request did not arrive in time' },
  restore_expired: {
    message: ({ days }: { days: number }) => `A deleted image can be restored for ${days} days; this one is gone`,
    remedy: 'Upload it again.',
  },
  run_finished: {
    message: ({ state }: { state: string }) => `The run has ended already: ${state}`,
    remedy: 'Start another one if it is to be done again; retry-failed tries again what failed in it.',
  },
  run_not_found: {
    message: 'Run not found',
    remedy: 'GET /api/settings/integrations/zoho/sync/runs lists the runs.',
    page: 'Go back to the runs and open it there.',
  },
  run_not_paused: {
    message: ({ state }: { state: string }) => `Only a paused run can be resumed; this one is ${state}`,
    remedy: 'A queued or running run goes on by itself; one that has ended is started anew.',
  },
  scope_missing: {
    message: 'Zoho does not allow this: a scope or a permission is missing',
    remedy:
      'Connect to Zoho again with every scope of the line that GET /api/settings/integrations/zoho/scopes shows, and check the data centre. POST /api/settings/integrations/zoho/test names the scope that is missing.',
    page: 'Connect again with every scope that is listed under Connection, and check the data centre. Testing the connection names the scope that is missing.',
  },
  'scope_missing.scope': {
    message: ({ scope, reads }: { scope: string; reads: string }) =>
      `The scope ${scope} is missing, or the Zoho user may not read this: ${reads}`,
    remedy: ({ scope }: { scope: string }) =>
      `Connect to Zoho again with ${scope} among the scopes (GET /api/settings/integrations/zoho/scopes has the whole line), or switch the module off.`,
    page: 'Connect again with every scope that is listed under Connection, and check the data centre. Testing the connection names the scope that is missing.',
  },
  second_factor_required: {
    message: 'The password is right; the code of the authenticator app is missing',
    remedy: 'Send {"challenge", "code"} or {"challenge", "recovery_code"} to the same address within five minutes.',
  },
  second_factor_setup_required: {
    message: 'This account must set up a second factor first',
    remedy:
      'Open the account page, or POST /api/v1/auth/totp and then /api/v1/auth/totp/confirm with a code. REQUIRE_SECOND_FACTOR asks for it.',
    page: 'Open the account page and set it up.',
  },
  server_stopped: { message: 'The server was told to stop', remedy: 'It goes on by itself at the next start.' },
  session_in_use: {
    message: 'This session is not finished',
    remedy: ({ run_id }: { run_id: string }) => `Cancel its run first: POST /api/settings/integrations/zoho/sync/runs/${run_id}/cancel`,
    page: 'Wait until its run has ended, or cancel that first.',
  },
  'session_in_use.unfinished': { message: 'This session is not finished', remedy: 'Wait until its run has ended.' },
  session_not_found: {
    message: 'Session not found',
    remedy: 'GET /api/pulls/ (or `zinc sessions list`) names the sessions.',
    page: 'Go back to the pulls; it may have been deleted.',
  },
  'session_not_found.named': {
    message: ({ name }: { name: string }) => `There is no session ${name}`,
    remedy: '`zinc sessions list` names them; an unfinished one is carried on by the next `zinc fetch`.',
  },
  'session_not_found.sign_in': {
    message: 'There is no such session of yours',
    remedy: 'GET /api/v1/auth/sessions lists them.',
    page: 'Go back to the pulls; it may have been deleted.',
  },
  session_pinned: { message: 'This session is pinned', remedy: 'Take the pin off first: PATCH {"pinned":false}.' },
  set_by_environment: {
    message: ({ field }: { field: string }) => `${field} is set by the environment, which beats what is stored`,
    remedy: ({ variable }: { variable: string }) =>
      `Change ${variable} in .env and start zinc again, or take it out of there to set it here.`,
  },
  'set_by_environment.gcp': {
    message: ({ field }: { field: string }) => `${field} is set by Google's Secret Manager, which beats what is stored`,
    remedy: ({ variable }: { variable: string }) => `Add a new version of the secret ${variable} there; zinc takes it within five minutes.`,
  },
  shutting_down: { message: 'zinc is stopping' },
  side_too_long: {
    message: ({ width, height, max_side }: { width: number; height: number; max_side: number }) =>
      `The picture is ${width} × ${height}; no side may be longer than ${max_side}`,
    remedy: UPLOAD_AGAIN,
  },
  sku_conflict: {
    message: ({ ids, sku }: { ids: readonly string[]; sku: string }) =>
      `The items ${ids.join(', ')} share the SKU ${sku}. Both are kept; give one another SKU in Zoho.`,
  },
  storage_full: {
    message: 'There is no room for another picture; the ones that are there stay',
    remedy: 'Free space where the pictures are kept (DATA_DIR), or use a larger disk or a bucket.',
  },
  'storage_full.run': {
    message: 'storage_full: the disk takes no more pictures',
    remedy: 'Free space under DATA_DIR; it goes on by itself.',
  },
  storage_unavailable: {
    message: ({ problem }: { problem: string }) => `The bucket does not serve zinc: ${problem}`,
    remedy: "Check S3_ENDPOINT, the keys and their rights, the bucket and this machine's clock; zinc goes on as soon as it answers.",
  },
  store_code_taken: { message: ({ code }: { code: string }) => `There is a store ${code} already`, remedy: 'Choose another code.' },
  store_exists: {
    message: ({ id }: { id: string }) => `There is a store with the id ${id} already`,
    remedy: 'Change that store instead, or leave the id out.',
  },
  store_id_required: { message: 'store_id is required', remedy: 'Add store_id=… to the query, or to the body of a POST.' },
  store_mismatch: { message: 'This token is not for that store', remedy: 'Use the store_id that the token was made for.' },
  store_not_found: {
    message: 'Store not found',
    remedy: 'GET /api/v1/stores lists them.',
    page: 'Go back to the stores; it may have been deleted.',
  },
  store_paused: {
    message: 'This store is paused',
    remedy: 'Ask again later. What the store has stays as it is; an admin lets it go on at head office.',
  },
  symbolic_link: { message: 'Links are not followed' },
  sync_running: {
    message: 'A run of this kind is under way already',
    remedy: ({ run_id, state, resumes_at }: { run_id: string; state: string; resumes_at: string | null }) => {
      const wait =
        state === 'paused' && resumes_at === null
          ? `It is paused: go on with it: POST /api/settings/integrations/zoho/sync/runs/${run_id}/resume`
          : 'Wait for it'
      return `${wait}, or cancel it: POST /api/settings/integrations/zoho/sync/runs/${run_id}/cancel`
    },
    page: 'Wait for it, or open it and cancel it.',
  },
  'sync_running.reset': { message: 'A sync is under way', remedy: 'Wait for it, or cancel it; then reset.' },
  'sync_running.watermark': { message: 'A sync is under way', remedy: 'Wait for it, or cancel it; then move the cursor.' },
  'sync_running.webhook': { message: 'A sync of the items is under way' },
  test_timeout: {
    message: 'The test did not come to an end in two minutes',
    remedy: 'Other calls to Zoho are under way, or Zoho is slow. Look at GET /api/settings/integrations/zoho/quota and try again.',
    page: 'Other calls to Zoho are under way, or Zoho is slow. Try again in a while.',
  },
  too_many_parts: { message: 'The form has too many or too large parts', remedy: 'At most ten files, each in a part named file.' },
  too_many_pixels: {
    message: ({ width, height, max_pixels }: { width: number; height: number; max_pixels: number }) =>
      `The picture is ${width} × ${height}, more than ${max_pixels} pixels`,
    remedy: UPLOAD_AGAIN,
  },
  'too_many_pixels.frames': { message: 'The frames together have too many pixels', remedy: UPLOAD_AGAIN },
  'too_many_pixels.unmeasured': {
    message: ({ max_pixels }: { max_pixels: number }) => `The picture has more than ${max_pixels} pixels`,
    remedy: UPLOAD_AGAIN,
  },
  too_many_requests: { message: 'Too many requests', remedy: 'Wait as long as Retry-After says. API_REQUESTS_PER_MINUTE sets the limit.' },
  too_many_streams: {
    message: ({ limit }: { limit: number }) => `You follow ${limit} runs already`,
    remedy: 'Close other pages or programs that follow runs.',
  },
  'totals.not_amount': { message: 'the total is not an amount' },
  'totals.sub_total': {
    message: ({ lines, sum, reported }: { lines: number; sum: string; reported: string }) =>
      `the ${lines} line items add up to ${sum}, the sub-total says ${reported}`,
  },
  'totals.total': {
    message: ({ lines, sum, reported }: { lines: number; sum: string; reported: string }) =>
      `the ${lines} line items come to ${sum}, the total says ${reported}`,
  },
  totp_enabled: {
    message: 'This account has a second factor already',
    remedy: 'Remove it first: DELETE /api/v1/auth/totp with the password and a code.',
    page: 'Reload the page; it may have been set up in another window.',
  },
  totp_not_begun: { message: 'No second factor is being set up', remedy: 'Begin with POST /api/v1/auth/totp.', page: 'Begin again.' },
  truncated: { message: 'The picture is cut: its end is missing', remedy: UPLOAD_AGAIN },
  'truncated.differently': { message: 'The picture comes damaged, and differently each time' },
  'truncated.while_decoding': { message: 'The picture is cut', remedy: UPLOAD_AGAIN },
  unanswered: {
    message: ({ tries, why }: { tries: number; why: Part }) => `Zoho did not answer properly after ${tries} tries: ${text(why)}`,
    remedy: 'zinc tries again at the next sync. If it stays, see status.zoho.com.',
  },
  unauthenticated: {
    message: 'A valid token is required',
    remedy: ({ url }: { url: string }) => `${LOGIN_LINE.replace('URL', url)}   # then: -H "Authorization: Bearer <access_token>"`,
  },
  unauthorized_client: {
    message: 'This client may not sign in this way',
    remedy: 'Make a client of the kind "Self Client" or "Server-based" in the Zoho API console and use its id and secret.',
  },
  unknown_compression: { message: 'Packed in a way that is not understood' },
  unknown_organization: {
    message: 'Zoho does not know this organisation, or the account does not belong to it',
    remedy:
      'Choose one of GET /api/settings/integrations/zoho/organizations, or check ZOHO_ORGANIZATION_ID; Zoho shows it under Settings → Organization Profile.',
    page: CHOOSE_UNDER_CONNECTION,
  },
  'unknown_organization.other': {
    message: ({ organization }: { organization: string }) => `The account does not belong to the organisation ${organization}`,
    remedy: CHOOSE_ORGANIZATION,
    page: CHOOSE_UNDER_CONNECTION,
  },
  unknown_parameter: {
    message: ({ kind, parameter }: { kind: string; parameter: string }) =>
      `The ${kind} ${JSON.stringify(parameter.slice(0, 100))} is not known here`,
    remedy: ({ nearest, known }: { nearest: string | null; known: string[] }) => {
      const names = known.length === 0 ? 'It takes none here.' : `Known here: ${known.join(', ')}.`
      return nearest === null ? names : `Did you mean ${nearest}? ${names}`
    },
  },
  unknown_source: {
    message: ({ source }: { source: string }) => `Zoho's items have no field ${source} that can be mapped`,
    remedy: 'GET …/mapping lists the fields; custom ones begin with cf_.',
  },
  unreachable: { message: 'Zoho cannot be reached' },
  unreadable: { message: 'it cannot be read' },
  unsafe_path: { message: 'The ZIP has a name that leads out of it; nothing was taken', remedy: 'Pack it again with an ordinary program.' },
  unsupported_content_encoding: { message: 'Compressed request bodies are not taken', remedy: 'Send it without Content-Encoding.' },
  unsupported_format: { message: 'This format is not taken; use JPEG, PNG, GIF, WebP, AVIF or BMP', remedy: SAVE_AS },
  'unsupported_format.bmp': {
    message: ({ what }: { what: string }) => `A BMP with ${what} is not taken; use JPEG or PNG`,
    remedy: SAVE_AS,
  },
  'unsupported_format.heic': { message: 'HEIC is not taken; use JPEG, PNG, GIF, WebP, AVIF or BMP', remedy: SAVE_AS },
  'unsupported_format.zoho': {
    message: ({ format }: { format: string }) => `Zoho does not take ${format}`,
    remedy: 'Upload it as JPEG or PNG.',
  },
  unsupported_media_type: {
    message: ({ type }: { type: string }) => `A body of the type ${type} is not taken here`,
    remedy: 'Send JSON with Content-Type: application/json; GET /docs shows where a form is meant.',
    page: 'Reload the page; zinc may have been updated.',
  },
  untested: {
    message: 'zinc has not signed in with these credentials yet',
    remedy: 'Press Test, or POST /api/settings/integrations/zoho/test; the first sync does it too.',
    page: 'Test the connection; the first sync does it too.',
  },
  'untested.items': { message: 'Not tried: the items could not be read', remedy: 'Mend the check of ZohoInventory.items.READ first.' },
  uri_too_long: { message: ({ max }: { max: number }) => `The address is longer than ${max} characters`, remedy: 'Ask for less at once.' },
  user_not_found: {
    message: 'User not found',
    remedy: 'GET /api/v1/users lists them.',
    page: 'Reload the page; somebody may have removed them.',
  },
  username_taken: {
    message: ({ username }: { username: string }) => `There is a user ${username} already`,
    remedy: 'Choose another name.',
  },
  'verify.altered': { message: ({ count, id }: { count: number; id: string }) => `${count} are not what was pulled, e.g. ${id}` },
  'verify.duplicates': {
    message: ({ count, id }: { count: number; id: string }) => `${count} stand more than once in one file, e.g. ${id}`,
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
  'verify.no_file': { message: ({ module }: { module: string }) => `no file of ${module} was ever written` },
  'verify.record': { message: 'a record cannot be read' },
  'verify.stale': {
    message: ({ count, id }: { count: number; id: string }) => `${count} changed in Zoho after they were pulled, e.g. ${id}`,
  },
  'verify.totals': {
    message: ({ amount, currency, files, api }: { amount: string; currency: string; files: string; api: string }) =>
      `the ${amount} of all in ${currency || 'no currency'} is ${files} in the files and ${api} in Zoho`,
  },
  weak_password: {
    message: ({ weakness }: { weakness: string }) => `The password ${weakness}`,
    remedy: ({ min_password_length }: { min_password_length: number }) =>
      `Choose another one with at least ${min_password_length} characters; a few words that have nothing to do with each other are easy to remember.`,
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
      `These credentials belong to the data centre ${data_center}, not to ${set}`,
    remedy: ({ data_center, accounts_url }: { data_center: string; accounts_url: string }) =>
      `Set the data centre to ${data_center} (${accounts_url}): on the settings page, with POST /api/settings/integrations/zoho {"data_center":"${data_center}"}, or as ZOHO_DATA_CENTER.`,
    page: 'Choose the right data centre under Connection and save.',
  },
  zip_too_large: {
    message: ({ files, total_bytes }: { files: number; total_bytes: number }) =>
      `The ZIP unpacks to more than ${files} files or ${total_bytes} bytes`,
    remedy: 'Split it, or raise MAX_IMPORT_BYTES.',
  },
  zoho_blocked: { message: "Zoho's limit for a minute was overrun; all calls wait" },
  zoho_circuit_open: {
    message: ({ tries }: { tries: number }) => `Zoho failed to answer ${tries} times in a row and is left alone for a minute`,
    remedy: ({ until }: { until: string }) => `zinc looks again after ${until}. If it stays, see status.zoho.com.`,
  },
  zoho_minute_limit: {
    message: "Zoho's limit of calls a minute was overrun; all calls wait",
    remedy: 'It goes on by itself. Other programs on the same organisation use up the same minute.',
  },
  zoho_unavailable: { message: 'Zoho does not answer just now', remedy: 'It goes on by itself. If it stays, see status.zoho.com.' },
  zoho_unavailable_timeout: {
    message: 'Zoho did not answer for hours',
    remedy: 'What is missing comes with the next sync. See status.zoho.com.',
  },
  zoho_unreachable: {
    message: 'Zoho cannot be reached to sign in',
    remedy: 'Check the network of this machine; zinc tries again by itself.',
  },
  'not_verified.unfinished': { message: 'The check did not come to an end' },
  sync_failed: { message: 'The sync failed' },
  'not_an_image.by_name': { message: 'This is not a picture' },
} satisfies Catalogue

/** Causes of failures in the inbox, by `code`, or `code.stage` where it means something else there: what was imported is not at Zoho. */
export const CAUSES = {
  not_an_image: { message: 'What Zoho sent is not a picture', remedy: 'Open the item in Zoho and attach its picture again; then retry.' },
  truncated: { message: 'The picture breaks off', remedy: 'Retry; if it stays, attach the picture again in Zoho.' },
  corrupt: { message: 'The picture is damaged', remedy: 'Attach the picture again in Zoho, saved anew; then retry.' },
  no_image_bytes: { message: 'Zoho sent a page instead of the picture', remedy: 'Retry; if it stays, see status.zoho.com.' },
  too_many_pixels: {
    message: 'The picture has too many pixels',
    remedy: 'Make it smaller in Zoho, or raise MAX_INPUT_PIXELS; then retry.',
  },
  side_too_long: { message: 'A side of the picture is too long', remedy: 'Make it smaller in Zoho; 12,000 pixels is the most.' },
  unsupported_format: { message: 'The format of the picture is not taken', remedy: 'Use JPEG, PNG, WebP, GIF, AVIF or BMP.' },
  image_too_large: { message: 'The file of the picture is too large', remedy: 'Make it smaller, or raise MAX_UPLOAD_BYTES; then retry.' },
  decoder_crash: { message: 'The picture breaks the decoder', remedy: 'Save it anew with another program and attach that in Zoho.' },
  incomplete: { message: 'The picture did not arrive whole', remedy: 'Retry; the line to Zoho broke off.' },
  download_failed: { message: 'The picture did not arrive whole', remedy: 'Retry; the line to Zoho broke off.' },
  image_url_failed: {
    message: 'The server of the picture did not send it',
    remedy: 'Open the address in a browser; retry, or name another one.',
  },
  image_url_blocked: {
    message: 'The address of the picture is not one that zinc may fetch',
    remedy: 'Use a public address, or name its host in IMAGE_URL_ALLOWLIST.',
  },
  crm_module_missing: {
    message: 'Zoho CRM does not have this module',
    remedy: 'If it is needed, show it in Zoho CRM under Setup, Modules and Fields. Else nothing is to be done.',
  },
  placeholder_image: { message: 'The address is one of a placeholder service: the item has no picture', remedy: 'Name a real picture.' },
  sku_conflict: { message: 'Items share one SKU', remedy: 'Give one of them another SKU in Zoho; then retry.' },
  invalid_item: { message: 'An item in Zoho cannot be read', remedy: 'Open it in Zoho and save it again; then retry.' },
  invalid_file_item: { message: 'A record of the file cannot be read', remedy: 'Mend the record and import the file again.' },
  file_item_repeated: {
    message: 'Records of the file have the same id',
    remedy: 'Check the ids in the file: a spreadsheet may have changed them. The last record was taken.',
  },
  bad_mapping: {
    message: 'An entry of image_mappings.json cannot be read',
    remedy: 'Write it as "<zoho_item_id>": "<url>" and import the file again.',
  },
  invalid_price: {
    message: 'A price is a text that is no number',
    remedy: 'Correct the price in Zoho. Until then the item keeps the price that it had.',
  },
  item_id_refused: {
    message: 'Zoho does not take the id of a product, which came from a file',
    remedy: 'Import the file again with right ids, and delete the product: DELETE /api/products/{id}.',
    page: 'Import the file again with right ids, and delete the product.',
  },
  mass_delete_stopped: {
    message: 'More than a fifth of the items would be removed',
    remedy: 'Check the items in Zoho. If it is right, run a full sync with confirm_removals=true.',
    page: 'Check the items in Zoho. If it is right, plan the removal and confirm it.',
  },
  list_missing_items: {
    message: "Zoho's list left out items that it has",
    remedy: 'Nothing is lost. Run a full sync; if it stays, tell Zoho support.',
  },
  'not_an_image.import': {
    message: 'What was imported is not a picture',
    remedy: 'Leave it out, or replace it by a picture, and import it again.',
  },
  'truncated.import': { message: 'The imported picture breaks off', remedy: 'Take it from its source again and import it again.' },
  'corrupt.import': { message: 'The imported picture is damaged', remedy: 'Open it, save it anew and import it again.' },
  'too_many_pixels.import': {
    message: 'The imported picture has too many pixels',
    remedy: 'Make it smaller, or raise MAX_INPUT_PIXELS, and import it again.',
  },
  'side_too_long.import': {
    message: 'A side of the imported picture is too long',
    remedy: 'Make it smaller, 12,000 pixels is the most, and import it again.',
  },
  'unsupported_format.import': {
    message: 'The format of the imported picture is not taken',
    remedy: 'Save it as JPEG, PNG, WebP, GIF, AVIF or BMP and import it again.',
  },
  'image_too_large.import': {
    message: 'The imported file is too large',
    remedy: 'Make it smaller, or raise MAX_UPLOAD_BYTES, and import it again.',
  },
  'decoder_crash.import': {
    message: 'The imported picture breaks the decoder',
    remedy: 'Save it anew with another program and import it again.',
  },
  'file_not_readable.import': {
    message: 'A file of the import cannot be read',
    remedy: 'Check its name and who may read it, and import it again.',
  },
  'encrypted.import': {
    message: 'A file in the ZIP has a password',
    remedy: 'Pack the pictures without a password and import them again.',
  },
  'unknown_compression.import': {
    message: 'A file in the ZIP is packed in a way that is not understood',
    remedy: 'Pack the pictures as an ordinary ZIP and import them again.',
  },
  'symbolic_link.import': {
    message: 'The import holds a link instead of a picture',
    remedy: 'Put the picture itself there and import it again.',
  },
  /** What the newest failure says of itself is the cause then. */
  other: { message: '', remedy: 'Retry; if it stays, the log names it under its run.' },
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
/** What another language has to say: the same messages with the same facts. Its remedies are for people on the page. */
export type MessagesIn = Translated<typeof MESSAGES>
export type CausesIn = Translated<typeof CAUSES>
