import type { Catalogue } from './message.ts'

/** What only a terminal shows: a start that fails, and commands. They speak English. */
export const TERMINAL = {
  address_not_available: {
    message: ({ host }: { host: string }) => `This machine has no address ${host}`,
    remedy: 'Set HOST to one of its addresses: 127.0.0.1 for this machine only, 0.0.0.0 for every network.',
  },
  'address_not_available.name': {
    message: ({ host }: { host: string }) => `The name ${host} cannot be resolved`,
    remedy: 'Set HOST to an address of this machine.',
  },
  cannot_create_role: {
    message: 'The account of DATABASE_URL may not manage roles',
    remedy: 'Let a superuser of the database run: ALTER ROLE <that account> CREATEROLE; and try again.',
  },
  data_dir_unusable: {
    message: ({ folder, problem }: { folder: string; problem: string }) => `The data folder ${folder} cannot be used: ${problem}`,
    remedy: 'Set DATA_DIR to a folder that this account may write.',
  },
  database_in_use: { message: 'A zinc process uses this database', remedy: 'Stop it first.' },
  database_init: { message: ({ problem }: { problem: string }) => `The embedded database cannot be made: ${problem}` },
  database_not_empty: {
    message: 'The database is not empty; a restore would mix two shops',
    remedy: 'Restore into a fresh DATA_DIR, or name an empty database in DATABASE_URL.',
  },
  database_start: { message: ({ ended, log }: { ended: string; log: string }) => `The embedded database did not start (${ended}): ${log}` },
  'database_start.log': {
    message: ({ problem }: { problem: string }) => `The log of the embedded database cannot be written: ${problem}`,
    remedy: ({ path }: { path: string }) => `Move ${path} away and start zinc again.`,
  },
  database_unreachable: {
    message: ({ problem }: { problem: string }) => `The database cannot be reached: ${problem}`,
    remedy: 'Check DATABASE_URL and that the server runs; without DATABASE_URL zinc brings its own.',
  },
  database_version: {
    message: ({ version, own }: { version: string; own: string }) =>
      `The data folder was made by PostgreSQL ${version}, this zinc brings ${own}`,
    remedy: 'With the zinc that made it run `zinc db dump`, move the folder away, and run `zinc db restore` with this one.',
  },
  demo_in_use: {
    message: ({ folder }: { folder: string }) => `Another process works on the database of ${folder}`,
    remedy: 'End it, then start the demo again.',
  },
  disk_full: {
    message: ({ path }: { path: string }) => `The disk is full${path}`,
    remedy: 'Free some space on the disk of DATA_DIR (or of the database) and start again; what was committed is kept.',
  },
  'disk_full.edge': {
    message: ({ said, folder }: { said: string; folder: string }) => `${said}: ${folder}`,
    remedy: 'Make room on that disk. What is here stays; the next pull continues from it.',
  },
  file_not_found: { message: ({ file }: { file: string }) => `There is no file ${file}` },
  'file_not_found.config': {
    message: ({ file, error }: { file: string; error: string }) => `${file} cannot be read (${error})`,
    remedy: 'Name a zoho_config.json.',
  },
  file_unusable: {
    message: ({ path, problem }: { path: string; problem: string }) => `${path} cannot be used: ${problem}`,
    remedy: 'Files of DATA_DIR must belong to the account that runs zinc: correct owner and permissions, then start again.',
  },
  folder_not_writable: {
    message: ({ said, folder }: { said: string; folder: string }) => `${said}: ${folder}`,
    remedy: 'Let the user of this command write into that folder. What is here stays; the next pull continues from it.',
  },
  foreign_response: {
    message: ({ said }: { said: string }) => `${said}`,
    remedy:
      'Have whoever runs the network let this machine through to the server, https included. What is here stays; the next pull continues from it.',
  },
  instance_mismatch: {
    message: ({ property }: { property: string }) => `The ${property} is not the one that this database belongs to`,
    remedy: ({ next }: { next: string }) => `${next}`,
  },
  invalid_config_file: {
    message: ({ file, keys }: { file: string; keys: string[] }) => `${file} is wrong${keys.length > 0 ? `: ${keys.join(', ')}` : ''}`,
    remedy: 'It must be a JSON object with client_id, client_secret, refresh_token and organization_id.',
  },
  'invalid_config_file.not_json': {
    message: ({ file }: { file: string }) => `${file} is not JSON`,
    remedy: 'It must be a JSON object with client_id, client_secret, refresh_token and organization_id.',
  },
  invalid_configuration: {
    message: ({ problems }: { problems: string[] }) => `The configuration is wrong:\n${problems.map((line) => `  ${line}`).join('\n')}`,
  },
  invalid_dump: {
    message: ({ file, line }: { file: string; line: number | undefined }) =>
      line === undefined
        ? `${file} is not a whole dump of zinc; no row was restored`
        : `${file} is not a dump of zinc: line ${line} is neither a table nor a sequence of this database; no row was restored`,
    remedy: 'Name a file that `zinc db dump` wrote to its end.',
  },
  invalid_key_file: {
    message: ({ file }: { file: string }) => `${file} does not hold keys of 32 bytes, one a line in base64`,
    remedy:
      'Put it back from the backup of DATA_DIR/settings. zinc writes no other in its place, since it could not open what the lost one has sealed. Without a backup move it away, then: zinc keys forget.',
  },
  invalid_log_level: { message: '--log-level must be DEBUG, INFO, WARNING or ERROR' },
  invalid_number: { message: ({ name }: { name: string }) => `${name} must be a whole number from 0` },
  'invalid_options.directory_and_session': { message: 'Use -d or -s, not both' },
  'invalid_options.keep_or_age': { message: 'Say --keep N or --older-than DAYS' },
  'invalid_options.missing_or_all': { message: 'Say --missing or --all' },
  'invalid_options.quick_repair': { message: 'A repair asks Zoho; leave --quick out' },
  'invalid_options.since_and_full': { message: 'Use --since or --full, not both' },
  invalid_reader_name: {
    message: ({ name }: { name: string }) => `${name} cannot be the name of a reader`,
    remedy: 'Use small letters, digits and underscores, beginning with a letter; not pg_… and not zinc_….',
  },
  invalid_store: { message: ({ issues }: { issues: string[] }) => issues.join('; ') },
  invalid_store_id: { message: 'The store is not an id', remedy: '`zinc store list` shows the ids.' },
  invalid_token_id: { message: 'token revoke wants the id of the token, not the token itself' },
  invalid_token_options: { message: 'token issue needs a --name, and as --days a number' },
  invalid_user: { message: ({ field, problem }: { field: string; problem: string }) => `${field}: ${problem}` },
  'invalid_user.account': { message: 'The user is not a name of an account', remedy: 'Give the name of an account of this machine.' },
  keys_valid: {
    message: 'A key that zinc has opens stored secrets; nothing was removed',
    remedy: '`zinc keys rotate` says what is sealed with which key.',
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
  network_error: { message: ({ said }: { said: string }) => `${said}`, remedy: 'What is here stays; the next pull goes on from it.' },
  newer_database: {
    message: ({ migrations }: { migrations: string[] }) =>
      `The database was made by a newer zinc: this one does not know its migration ${[...migrations].sort().at(-1)}`,
    remedy: 'Start the newer zinc again, or restore a dump that was made before the upgrade into an empty database.',
  },
  newer_dump: {
    message: 'The dump was written by a newer zinc, whose tables this one does not know',
    remedy: 'Restore it with the zinc that wrote it, or a newer one.',
  },
  'no_data.module': {
    message: ({ module }: { module: string }) => `${module} was not pulled yet`,
    remedy: ({ module }: { module: string }) => `Pull it first: zinc fetch ${module}`,
  },
  no_database: {
    message: ({ folder }: { folder: string }) => `There is no database of zinc in ${folder}`,
    remedy: ({ demo }: { demo: boolean }) =>
      demo
        ? 'A demo is running: `eval "$(npx zinc demo env)"` makes the commands of this shell work on it.'
        : 'Set DATA_DIR to the folder of your zinc, or make a new one with `npm start`.',
  },
  no_database_account: {
    message: ({ account }: { account: string }) => `PostgreSQL does not run as root, and the account ${account} cannot be made`,
    remedy: ({ account }: { account: string }) =>
      `Make it with \`useradd --system --shell /usr/sbin/nologin ${account}\`, run zinc as another account than root, or set DATABASE_URL to a PostgreSQL server.`,
  },
  no_demo: {
    message: 'No demo is running',
    remedy: 'Start one with `npm run demo` in another terminal; both must have the same DATA_DIR.',
  },
  no_embedded_database: {
    message: ({ platform, arch }: { platform: string; arch: string }) => `There is no embedded PostgreSQL for ${platform} ${arch}`,
    remedy: 'Set DATABASE_URL to a PostgreSQL server.',
  },
  no_login: {
    message: 'edge check needs --username, or the token of an edge server',
    remedy: 'Name the file of the token with --token-file, or put the token into ZINC_EDGE_TOKEN.',
  },
  no_password: {
    message: ({ username }: { username: string }) => `The password of ${username} is needed`,
    remedy: 'Put it into ZINC_PASSWORD, or use --token-file.',
  },
  no_token: {
    message: ({ command }: { command: string }) => `${command} needs the token of its store`,
    remedy: 'Put it into a file and name that with --token-file, or into ZINC_EDGE_TOKEN, or send it to --token - on standard input.',
  },
  'no_token.empty': {
    message: ({ from }: { from: string }) => `There is no token in ${from}`,
    remedy: 'It holds the token and nothing else. A new one: zinc token issue --store ID --name N',
  },
  'no_token.not_only': {
    message: ({ from }: { from: string }) => `There is more than a token in ${from}`,
    remedy: 'It holds the token and nothing else. A new one: zinc token issue --store ID --name N',
  },
  not_confirmed: {
    message: ({ secrets }: { secrets: number }) => `${secrets} stored secrets would go for good`,
    remedy: 'Look for the key in a backup of DATA_DIR/settings or of the environment first. If it is lost: zinc keys forget --yes',
  },
  older_database: {
    message: 'The database was made by an older zinc, and this one cannot upgrade it in place',
    remedy:
      'Run `zinc db dump FILE` with the older zinc. Then move DATA_DIR/postgres away (if it is a link, the folder that it points to; with DATABASE_URL name an empty database instead) and run `zinc db restore FILE` with this zinc.',
  },
  older_dump: {
    message: ({ migration }: { migration: string }) =>
      `The dump is of a database without the migration ${migration}, which this zinc cannot make`,
    remedy: ({ migration }: { migration: string }) =>
      `With a zinc that has ${migration} run \`zinc db restore\` and \`zinc db dump\`; this zinc restores that dump.`,
  },
  passwords_differ: { message: 'The two passwords differ' },
  path_not_found: { message: ({ path }: { path: string }) => `There is no ${path}`, remedy: 'Name a folder or a ZIP file.' },
  port_in_use: {
    message: ({ port }: { port: number }) => `Port ${port} is in use`,
    remedy: 'Stop the other program, or set PORT (0 takes any free one).',
  },
  port_not_permitted: {
    message: ({ port }: { port: number }) => `This account may not listen on port ${port}`,
    remedy: 'Set PORT to 1024 or higher.',
  },
  reader_not_found: { message: ({ name }: { name: string }) => `There is no reader ${name}`, remedy: 'Nothing is left to do.' },
  role_exists: {
    message: ({ name }: { name: string }) => `PostgreSQL has a role ${name} that is no reader of this database`,
    remedy: 'Choose another name.',
  },
  rotation_running: { message: 'The keys are being rotated already', remedy: 'Wait for it to end.' },
  service_not_installed: {
    message: ({ problem }: { problem: string }) => `The service cannot be installed: ${problem}`,
    remedy: 'Run it as root on a machine with systemd. Elsewhere --print launchd and --print windows show what to install.',
  },
  token_file_unreadable: {
    message: ({ file, error }: { file: string; error: string }) => `The token file ${file} cannot be read (${error})`,
    remedy: 'Give the path of a file that this user may read.',
  },
  token_twice: { message: 'Give --token or --token-file, not both' },
  tty_required: { message: 'The menu needs a terminal', remedy: '`zinc --help` lists the commands that do the same.' },
  unknown_app: { message: ({ apps }: { apps: readonly string[] }) => `--app must be one of: ${apps.join(', ')}` },
  unknown_module: {
    message: ({ name, hint }: { name: string; hint: string }) => `There is no module ${name}.${hint}`,
    remedy: ({ modules }: { modules: readonly string[] }) => `Modules: ${modules.join(' ')}, or all.`,
  },
  'unknown_module.all': { message: '`all` stands alone' },
  'unknown_module.export': { message: ({ name, hint }: { name: string; hint: string }) => `There is no module ${name}.${hint}` },
  unsafe_database_folder: {
    message: ({ folder }: { folder: string }) => `zinc runs as root, and another account may write to ${folder}`,
    remedy: ({ folder }: { folder: string }) =>
      `Run zinc as the account that owns the folder, or make it root's: chown root ${folder}; chmod 755 ${folder}`,
  },
  'user_not_found.named': {
    message: ({ username }: { username: string }) => `There is no user ${username}`,
    remedy: '`zinc user list` shows them.',
  },
  'user_not_found.no_admin': { message: 'There is no admin', remedy: '`zinc user add NAME --role admin` makes one.' },
  'weak_password.typed': { message: ({ weakness }: { weakness: string }) => `The password ${weakness}`, remedy: 'Choose another one.' },
  folder_in_use: { message: ({ said }: { said: string }) => said },
} satisfies Catalogue
