import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import Download from 'lucide-react/icons/download'
import { type RequestOptions, request } from '../api/request.ts'
import { useMessages } from '../i18n/language.tsx'
import { defineMessages } from '../i18n/messages.ts'
import { downloadCsv } from './csv.ts'
import { toast } from './toast.tsx'

const messages = defineMessages(
  { download: 'Download CSV', failed: 'The download failed. Try again.', cut: 'Only the newest 10,000 rows are in the file.' },
  { download: 'تنزيل CSV', failed: 'تعذّر التنزيل. أعد المحاولة.', cut: 'في الملف أحدث 10,000 صف فقط.' },
)
/** More is a job for the API. */
const MAX_ROWS = 10_000
const PAGE = 200

interface CsvButtonProps<Row> {
  filename: string
  /** A list of the API with cursor and limit, and its filter. */
  path: string
  query: RequestOptions['query']
  columns: [name: string, value: (row: Row) => unknown][]
}

/** Downloads a whole list as it is filtered, not only what is in sight. */
export function CsvButton<Row>({ filename, path, query, columns }: CsvButtonProps<Row>) {
  async function read() {
    const rows: Row[] = []
    let cursor: string | null = null
    do {
      const page: { data: Row[]; next_cursor: string | null } = await request(path, { query: { ...query, limit: PAGE, cursor } })
      rows.push(...page.data)
      cursor = page.next_cursor
    } while (cursor !== null && rows.length < MAX_ROWS)
    const lines = [columns.map(([name]) => name), ...rows.map((row) => columns.map(([, value]) => value(row)))]
    return { lines, isCut: cursor !== null }
  }
  return <CsvDownload filename={filename} read={read} />
}

/** Downloads what `read` returns: a heading and rows. `isCut`: there were more. */
export function CsvDownload({ filename, read }: { filename: string; read(): Promise<{ lines: unknown[][]; isCut: boolean }> }) {
  const m = useMessages(messages)
  const download = useMutation({
    mutationFn: read,
    onSuccess({ lines, isCut }) {
      downloadCsv(filename, lines)
      if (isCut) toast(m.cut)
    },
    onError: () => toast(m.failed),
  })
  return (
    <Button
      size="xs"
      variant="default"
      leftSection={<Download size={14} aria-hidden />}
      loading={download.isPending}
      onClick={() => download.mutate()}
    >
      {m.download}
    </Button>
  )
}
