import type { ManifestFile, ModuleResult } from '../../../schemas/pulls.ts'
import { Badge, type Tone } from '../../components/badge.tsx'
import { CopyButton } from '../../components/copy-button.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { ServerText } from '../../components/server-text.tsx'
import { Table } from '../../components/table.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { pullsMessages } from '../../pulls/messages.ts'
import { baseName, useModuleName } from '../../pulls/pull-labels.tsx'
import classes from './pull-page.module.css'

const TONE: Record<string, Tone> = { waiting: 'plain', running: 'info', success: 'good', failed: 'bad' }

export function ModuleTable({ modules }: { modules: ModuleResult[] }) {
  const m = useMessages(pullsMessages)
  const format = useFormat()
  const moduleName = useModuleName()
  const states: Record<string, string> = {
    waiting: m.mstate_waiting,
    running: m.mstate_running,
    success: m.mstate_success,
    failed: m.mstate_failed,
  }
  const modes = { full: m.mode_full, incremental: m.mode_incremental, since: m.mode_since }
  return (
    <Table
      label={m.modules}
      rows={modules}
      rowKey={({ module }) => module}
      columns={[
        { key: 'module', header: m.module, cell: ({ module }) => moduleName(module) },
        {
          key: 'state',
          header: m.moduleState,
          cell: ({ state, error }) => (
            <>
              <Badge tone={TONE[state] ?? 'plain'} pulsing={state === 'running'}>
                {states[state] ?? state}
              </Badge>
              {error && (
                <p className={classes.why}>
                  <ServerText code={error.code} params={error.params} part="what">
                    {error.message}
                  </ServerText>
                  {'. '}
                  {error.remedy && (
                    <ServerText code={error.code} params={error.params} part="next">
                      {error.remedy}
                    </ServerText>
                  )}
                </p>
              )}
            </>
          ),
        },
        { key: 'mode', header: m.mode, secondary: true, cell: ({ mode }) => modes[mode] },
        { key: 'records', header: m.records, end: true, cell: ({ records }) => format.number(records) },
        { key: 'lines', header: m.lines, end: true, cell: ({ line_items }) => (line_items === null ? '' : format.number(line_items)) },
        { key: 'new', header: m.new, end: true, secondary: true, cell: (row) => format.number(row.new) },
        { key: 'updated', header: m.updated, end: true, secondary: true, cell: ({ updated }) => format.number(updated) },
        { key: 'removed', header: m.removed, end: true, secondary: true, cell: ({ removed }) => format.number(removed) },
      ]}
    />
  )
}

export function FileTable({ files }: { files: ManifestFile[] }) {
  const m = useMessages(pullsMessages)
  const format = useFormat()
  return (
    <Table
      label={m.files}
      rows={files}
      rowKey={({ file }) => file}
      columns={[
        { key: 'file', header: m.file, cell: ({ file }) => <Ltr mono>{baseName(file)}</Ltr> },
        { key: 'rows', header: m.rows, end: true, cell: ({ rows }) => format.number(rows) },
        { key: 'size', header: m.size, end: true, cell: ({ bytes }) => format.bytes(bytes) },
        {
          key: 'sha',
          header: 'SHA-256',
          secondary: true,
          cell: ({ file, sha256 }) => (
            <>
              <Ltr mono>{sha256.slice(0, 12)}…</Ltr> <CopyButton value={sha256} what={`SHA-256 ${baseName(file)}`} />
            </>
          ),
        },
      ]}
    />
  )
}
