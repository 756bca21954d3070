/** A program that a service manager keeps running, on any system. */
export interface ServiceDefinition {
  name: string
  description: string
  command: string[]
  /** The account that it runs as; null: the one that installs it. */
  user: string | null
  /** The folder that it may write to. */
  dir: string
}

/** A line end would begin a separate entry in each of the formats. Throws RangeError. */
function singleLine(text: string): string {
  if (/[\r\n\0]/.test(text)) throw new RangeError(`${JSON.stringify(text)} has a line end`)
  return text
}

/** Quoting of systemd.syntax(7); `%` and `$` would be replaced by systemd. */
const systemdQuoted = (text: string): string =>
  `"${singleLine(text)
    .replace(/["\\]/g, '\\$&')
    .replaceAll('%', '%%')
    .replaceAll('$', () => '$$')}"`

/** Returns a unit of systemd.service(5) that may write only to its folder. */
export const systemdUnit = ({ description, command, user, dir }: ServiceDefinition): string => `[Unit]
Description=${singleLine(description).replaceAll('%', '%%')}
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=${command.map(systemdQuoted).join(' ')}
${user === null ? '' : `User=${singleLine(user)}\n`}Restart=always
RestartSec=30
NoNewPrivileges=true
PrivateTmp=true
ProtectSystem=strict
ReadWritePaths=${systemdQuoted(dir)}

[Install]
WantedBy=multi-user.target
`

const xml = (text: string): string => singleLine(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** Returns a property list of launchd.plist(5), for /Library/LaunchDaemons. */
export const launchdPlist = ({ name, command, user }: ServiceDefinition): string => `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key><string>${xml(name)}</string>
  <key>ProgramArguments</key>
  <array>
${command.map((part) => `    <string>${xml(part)}</string>`).join('\n')}
  </array>
${user === null ? '' : `  <key>UserName</key><string>${xml(user)}</string>\n`}  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><true/>
  <key>ThrottleInterval</key><integer>30</integer>
</dict>
</plist>
`

const powershellQuoted = (text: string): string => `'${singleLine(text).replaceAll("'", "''")}'`
/** Arguments as CommandLineToArgvW reads them. */
const windowsArgument = (text: string): string => `"${text.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`

/**
 * Returns PowerShell lines that register a task, which starts with Windows and again after a
 * failure.
 */
export function windowsTask({ name, description, command: [program = '', ...args], user }: ServiceDefinition): string {
  const argument = args.map(windowsArgument).join(' ')
  return `$action = New-ScheduledTaskAction -Execute ${powershellQuoted(program)} -Argument ${powershellQuoted(argument)}
$trigger = New-ScheduledTaskTrigger -AtStartup
$settings = New-ScheduledTaskSettingsSet -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1) -ExecutionTimeLimit ([TimeSpan]::Zero)
Register-ScheduledTask -TaskName ${powershellQuoted(name)} -Description ${powershellQuoted(description)} -Action $action -Trigger $trigger -Settings $settings -User ${powershellQuoted(user ?? 'SYSTEM')}
Start-ScheduledTask -TaskName ${powershellQuoted(name)}
`
}

export const SERVICE_FORMATS = { systemd: systemdUnit, launchd: launchdPlist, windows: windowsTask }
export type ServiceFormat = keyof typeof SERVICE_FORMATS
