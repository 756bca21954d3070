import type { Catalogue } from './message.ts'

/** What only a terminal shows: a start that fails, and commands. They speak English. */
export const TERMINAL = {
  address_not_available: {
    message: ({ host }: { host: string }) => `This machine does not have the address ${host}`,
    remedy: 'Set HOST to one of its addresses: 127.0.0.1 for this machine only, 0.0.0.0 for every network.',
  },
  'address_not_available.name': {
    message: ({ host }: { host: string }) => `The name ${host} cannot be resolved`,
    remedy: 'Set HOST to an address of this machine.',
  },
  backup_keys_missing: {
    message: ({ keys }: { keys: readonly string[] }) => `The backup was made with keys that are not here: ${keys.join(' and ')}`,
    remedy:
      'Set them in the environment, or put jwt.key and credentials.key into DATA_DIR/settings, and restore again. If they are lost, use --new-keys: Zoho’s secrets are forgotten, users stay, and edge tokens have to be made again.',
  },
  cannot_create_role: {
    message: 'The account in DATABASE_URL is not allowed to manage roles',
    remedy: 'Ask a database superuser to run: ALTER ROLE <that account> CREATEROLE; then try again.',
  },
  data_dir_unusable: {
    message: ({ folder, problem }: { folder: string; problem: string }) => `The data folder ${folder} cannot be used: ${problem}`,
    remedy: 'Set DATA_DIR to a folder that this account can write to.',
  },
  database_in_use: { message: 'Another zinc process is using this database', remedy: 'Stop it first.' },
  database_init: { message: ({ problem }: { problem: string }) => `The embedded database could not be created: ${problem}` },
  database_not_empty: {
    message: 'The database is not empty; a restore would mix the data of two shops',
    remedy: 'Restore into an empty DATA_DIR, or point DATABASE_URL to an empty database.',
  },
  database_start: { message: ({ ended, log }: { ended: string; log: string }) => `The embedded database did not start (${ended}): ${log}` },
  'database_start.log': {
    message: ({ problem }: { problem: string }) => `The log of the embedded database cannot be written: ${problem}`,
    remedy: ({ path }: { path: string }) => `Move ${path} away and start zinc again.`,
  },
  database_unreachable: {
    message: ({ problem }: { problem: string }) => `The database cannot be reached: ${problem}`,
    remedy: 'Check DATABASE_URL and that the server is running. Without DATABASE_URL, zinc uses its embedded database.',
  },
  database_version: {
    message: ({ version, own }: { version: string; own: string }) =>
      `The data folder was created by PostgreSQL ${version}, but this version of zinc includes ${own}`,
    remedy: 'Run `zinc db dump` with the version of zinc that created it, move the folder away, and run `zinc db restore` with this one.',
  },
  demo_in_use: {
    message: ({ folder }: { folder: string }) => `Another process is using the database in ${folder}`,
    remedy: 'Stop it, then start the demo again.',
  },
  disk_full: {
    message: ({ path }: { path: string }) => `The disk is full${path}`,
    remedy: 'Free up space on the disk of DATA_DIR (or of the database) and start again. Committed data is kept.',
  },
  restore_unfinished: {
    message: ({ target, backup_id }: { target: string; backup_id: string }) =>
      `A restore of ${backup_id} from ${target} has begun here and is not finished`,
    remedy: ({ target }: { target: string }) =>
      `Run it again, and it resumes: npx zinc restore ${target}. Or begin with an empty DATA_DIR and database.`,
  },
  'disk_full.edge': {
    message: ({ said, folder }: { said: string; folder: string }) => `${said}: ${folder}`,
    remedy: 'Free up space on that disk. Downloaded files are kept; the next pull continues from there.',
  },
  file_unusable: {
    message: ({ path, problem }: { path: string; problem: string }) => `${path} cannot be used: ${problem}`,
    remedy: 'Files in DATA_DIR must belong to the account that runs zinc. Correct their owner and permissions, then start again.',
  },
  'file_unusable.named': {
    message: ({ path, problem }: { path: string; problem: string }) => `${path} cannot be used: ${problem}`,
    remedy: 'Specify a regular file that this account can read, or write where it is to be written.',
  },
  folder_not_writable: {
    message: ({ said, folder }: { said: string; folder: string }) => `${said}: ${folder}`,
    remedy: 'Give the user of this command write access to that folder. Downloaded files are kept; the next pull continues from there.',
  },
  edge_upgrade_failed: {
    message: ({ problem }: { problem: string }) => `The client cannot be upgraded: ${problem}`,
    remedy: 'The present one is unchanged. Check the address, and that this machine reaches it.',
  },
  foreign_response: {
    message: ({ said }: { said: string }) => `${said}`,
    remedy:
      'Ask your network administrator to let this machine reach the server, including over https. Downloaded files are kept; the next pull continues from there.',
  },
  instance_mismatch: {
    message: ({ property }: { property: string }) => `The ${property} does not belong to this database`,
    remedy: ({ next }: { next: string }) => `${next}`,
  },
  invalid_config_file: {
    message: ({ file, keys }: { file: string; keys: string[] }) => `${file} is invalid${keys.length > 0 ? `: ${keys.join(', ')}` : ''}`,
    remedy: 'It must be a JSON object with client_id, client_secret, refresh_token and organization_id.',
  },
  'invalid_config_file.not_json': {
    message: ({ file }: { file: string }) => `${file} is not JSON`,
    remedy: 'It must be a JSON object with client_id, client_secret, refresh_token and organization_id.',
  },
  invalid_configuration: {
    message: ({ problems }: { problems: string[] }) => `The configuration is invalid:\n${problems.map((line) => `  ${line}`).join('\n')}`,
  },
  invalid_dump: {
    message: ({ file, line }: { file: string; line: number | undefined }) =>
      line === undefined
        ? `${file} is not a complete zinc dump; nothing was restored`
        : `${file} is not a zinc dump: line ${line} is neither a table nor a sequence of this database; nothing was restored`,
    remedy: 'Use a file from a completed `zinc db dump`.',
  },
  invalid_key_file: {
    message: ({ file }: { file: string }) => `${file} must contain 32-byte keys in base64, one per line`,
    remedy:
      'Restore it from a backup of DATA_DIR/settings. zinc does not replace it, because a new key cannot decrypt existing secrets. If there is no backup, move the file away, then run: zinc keys forget.',
  },
  invalid_log_level: { message: '--log-level must be DEBUG, INFO, WARNING or ERROR' },
  invalid_number: { message: ({ name }: { name: string }) => `${name} must be a whole number, 0 or more` },
  'invalid_options.directory_and_session': { message: 'Use -d or -s, not both' },
  'invalid_options.keep_or_age': { message: 'Use --keep N or --older-than DAYS' },
  'invalid_options.missing_or_all': { message: 'Use --missing or --all' },
  'invalid_options.quick_repair': { message: '--repair needs Zoho; use it without --quick' },
  'invalid_options.since_and_full': { message: 'Use --since or --full, not both' },
  invalid_reader_name: {
    message: ({ name }: { name: string }) => `${name} is not a valid login name`,
    remedy: 'Use lowercase letters, digits and underscores, starting with a letter, but not with pg_ or zinc_.',
  },
  invalid_store: { message: ({ issues }: { issues: string[] }) => issues.join('; ') },
  invalid_store_id: { message: 'The store must be given by its ID', remedy: 'Run `zinc store list` to see the IDs.' },
  invalid_token_id: { message: 'token revoke needs the ID of the token, not the token itself' },
  invalid_token_options: { message: 'token issue needs --name, and --days must be a number' },
  invalid_user: { message: ({ field, problem }: { field: string; problem: string }) => `${field}: ${problem}` },
  'invalid_user.account': { message: 'The user is not a valid account name', remedy: 'Use the name of an account on this machine.' },
  keys_valid: {
    message: 'An available key can decrypt the stored secrets; nothing was removed',
    remedy: 'Run `zinc keys rotate` to see which key encrypts which secret.',
  },
  library_missing: {
    message: ({ library }: { library: string }) => `The embedded PostgreSQL cannot load its library ${library}`,
    remedy: ({ npm_package }: { npm_package: string }) =>
      `Run \`npm rebuild ${npm_package}\` in the folder of zinc and start again, or set DATABASE_URL to a PostgreSQL server.`,
  },
  listen_failed: {
    message: ({ host, port, problem }: { host: string; port: number; problem: string }) => `Cannot listen on ${host}:${port}: ${problem}`,
    remedy: 'Check HOST and PORT.',
  },
  network_error: {
    message: ({ said }: { said: string }) => `${said}`,
    remedy: 'Downloaded files are kept; the next pull continues from there.',
  },
  newer_database: {
    message: ({ migrations }: { migrations: string[] }) =>
      `The database was created by a newer version of zinc: this version does not know its migration ${[...migrations].sort().at(-1)}`,
    remedy: 'Start the newer version again, or restore a dump from before the upgrade into an empty database.',
  },
  newer_dump: {
    message: 'The dump was created by a newer version of zinc',
    remedy: 'Restore it with that version, or a newer one.',
  },
  'no_data.module': {
    message: ({ module }: { module: string }) => `${module} has not been pulled yet`,
    remedy: ({ module }: { module: string }) => `Pull it first: zinc fetch ${module}`,
  },
  no_database: {
    message: ({ folder }: { folder: string }) => `No zinc database found in ${folder}`,
    remedy: ({ demo }: { demo: boolean }) =>
      demo
        ? 'A demo is running. To use it from this shell, run `eval "$(npx zinc demo env)"`.'
        : 'Set DATA_DIR to the data folder of your zinc, or create a new one with `npm start`.',
  },
  no_database_account: {
    message: ({ account }: { account: string }) => `PostgreSQL cannot run as root, and the account ${account} could not be created`,
    remedy: ({ account }: { account: string }) =>
      `Create it with \`useradd --system --shell /usr/sbin/nologin ${account}\`, run zinc as an account other than root, or set DATABASE_URL to a PostgreSQL server.`,
  },
  no_demo: {
    message: 'No demo is running',
    remedy: 'Start one with `npm run demo` in another terminal; with the same DATA_DIR.',
  },
  no_embedded_database: {
    message: ({ platform, arch }: { platform: string; arch: string }) => `There is no embedded PostgreSQL for ${platform} ${arch}`,
    remedy: 'Set DATABASE_URL to a PostgreSQL server.',
  },
  no_login: {
    message: 'edge check needs --username or an edge server token',
    remedy: 'Pass the token with --token-file, or set ZINC_EDGE_TOKEN.',
  },
  no_password: {
    message: ({ username }: { username: string }) => `The password of ${username} is required`,
    remedy: 'Set ZINC_PASSWORD, or use --token-file.',
  },
  no_token: {
    message: ({ command }: { command: string }) => `${command} needs the store’s token`,
    remedy: 'Save it in a file and pass the file with --token-file, set ZINC_EDGE_TOKEN, or use --token - to read it from standard input.',
  },
  'no_token.empty': {
    message: ({ from }: { from: string }) => `No token found in ${from}`,
    remedy: 'It must contain only the token. To create a new one: npx zinc token issue --store ID --name N',
  },
  'no_token.not_only': {
    message: ({ from }: { from: string }) => `Found more than a token in ${from}`,
    remedy: 'It must contain only the token. To create a new one: npx zinc token issue --store ID --name N',
  },
  not_confirmed: {
    message: ({ secrets }: { secrets: number }) => `${secrets} stored secrets would be deleted permanently`,
    remedy: 'First look for the key in a backup of DATA_DIR/settings or of the environment. If it is lost, run: zinc keys forget --yes',
  },
  older_database: {
    message: 'The database was created by an older version of zinc and cannot be upgraded in place',
    remedy:
      'Run `zinc db dump FILE` with the older version. Then move DATA_DIR/postgres away (if it is a link, the folder it points to; with DATABASE_URL, use an empty database instead) and run `zinc db restore FILE` with this version.',
  },
  older_dump: {
    message: ({ migration }: { migration: string }) =>
      `The dump is from a database without the migration ${migration}, which this version of zinc cannot apply`,
    remedy: ({ migration }: { migration: string }) =>
      `Run \`zinc db restore\` and \`zinc db dump\` with a version of zinc that has ${migration}, then restore the new dump with this version.`,
  },
  output_required: { message: 'Parquet is written to a file', remedy: 'Name it with -o FILE.' },
  passwords_differ: { message: 'The two passwords differ' },
  invalid_csv: {
    message: ({ line }: { line: number }) => `Line ${line} of the CSV cannot be read: a quotation mark is not closed`,
    remedy: 'Correct that line, or save the table as CSV again.',
  },
  invalid_map: {
    message: ({ file, line }: { file: string; line: number }) => `Line ${line} of ${file} cannot be read`,
    remedy: 'Each line needs a path and one of sku, zoho_item_id or product_id (an ID of zinc).',
  },
  'invalid_map.columns': {
    message: ({ file }: { file: string }) => `${file} has no columns path and sku, zoho_item_id or product_id`,
    remedy: 'Begin it with a line such as: path,sku',
  },
  no_old_pulls: {
    message: ({ directory }: { directory: string }) =>
      `${directory} has no folder named by a time with files of modules, such as 2026-01-31_09-30-00/invoices.json`,
    remedy: 'Name the folder raw_json of the old program, one of its folders, or a session folder.',
  },
  invalid_store_file: {
    message: ({ file }: { file: string; columns: string[] }) => `${file} is not a CSV of stores`,
    remedy: ({ columns }: { columns: string[] }) => `Begin it with the line ${columns.join(',')}; code and name are required.`,
  },
  tokens_file_exists: {
    message: ({ file }: { file: string }) => `${file} exists already; it may hold tokens that are nowhere else`,
    remedy: 'Take its tokens to their shops and move it away, then import again.',
  },
  path_not_found: {
    message: ({ path }: { path: string }) => `${path} not found`,
    remedy: 'Specify a folder, a file or a ZIP that exists.',
  },
  place_not_empty: {
    message: ({ path }: { path: string }) => `The place is not empty: there are files in ${path}`,
    remedy: 'Restore into an empty DATA_DIR (and an empty bucket with STORAGE=s3); only settings/ may hold the keys.',
  },
  pooler_transaction_mode: {
    message:
      'DATABASE_URL leads through a connection pooler (PgBouncer) in transaction mode. There zinc cannot keep session locks (which of two processes does a run), LISTEN (news of changes) and session settings (timeouts)',
    remedy: 'Set pool_mode = session for this database, or connect to PostgreSQL directly.',
  },
  port_in_use: {
    message: ({ port }: { port: number }) => `Port ${port} is in use`,
    remedy: 'Stop the other program, or set PORT (0 uses any free port).',
  },
  port_not_permitted: {
    message: ({ port }: { port: number }) => `This account is not allowed to listen on port ${port}`,
    remedy: 'Set PORT to 1024 or higher.',
  },
  reader_not_found: { message: ({ name }: { name: string }) => `Login ${name} not found`, remedy: 'There is nothing left to do.' },
  role_exists: {
    message: ({ name }: { name: string }) => `PostgreSQL already has a role ${name} that was not created by this command`,
    remedy: 'Choose another name.',
  },
  rotation_running: { message: 'A key rotation is already in progress', remedy: 'Wait for it to finish.' },
  service_not_restarted: {
    message: ({ units, problem }: { units: string; problem: string }) => `${units} cannot be restarted: ${problem}`,
    remedy: 'Restart the services as root. Until then they run the earlier version.',
  },
  service_not_installed: {
    message: ({ problem }: { problem: string }) => `The service cannot be installed: ${problem}`,
    remedy: 'Run it as root on a machine with systemd. On other systems, use --print launchd or --print windows to see what to install.',
  },
  token_file_unreadable: {
    message: ({ file, error }: { file: string; error: string }) => `The token file ${file} cannot be read (${error})`,
    remedy: 'Specify a file that this user can read.',
  },
  token_twice: { message: 'Use --token or --token-file, not both' },
  tty_required: { message: 'The menu needs a terminal', remedy: 'Run `zinc --help` for the commands that do the same.' },
  unknown_format: { message: ({ formats }: { formats: readonly string[] }) => `--format must be one of: ${formats.join(', ')}` },
  unknown_app: { message: ({ apps }: { apps: readonly string[] }) => `--app must be one of: ${apps.join(', ')}` },
  unknown_module: {
    message: ({ name, hint }: { name: string; hint: string }) => `Unknown module ${name}.${hint}`,
    remedy: ({ modules }: { modules: readonly string[] }) => `Modules: ${modules.join(' ')}, or all.`,
  },
  'unknown_module.all': { message: '`all` cannot be combined with other modules' },
  'unknown_module.export': { message: ({ name, hint }: { name: string; hint: string }) => `Unknown module ${name}.${hint}` },
  unsafe_database_folder: {
    message: ({ folder }: { folder: string }) => `zinc runs as root, but another account can write to ${folder}`,
    remedy: ({ folder }: { folder: string }) =>
      `Run zinc as the account that owns the folder, or give it to root: chown root ${folder}; chmod 755 ${folder}`,
  },
  'user_not_found.named': {
    message: ({ username }: { username: string }) => `User ${username} not found`,
    remedy: 'Run `zinc user list` to see all users.',
  },
  'user_not_found.no_admin': { message: 'There is no admin', remedy: 'Create one with `zinc user add NAME --role admin`.' },
  folder_in_use: { message: ({ said }: { said: string }) => said },
} satisfies Catalogue
