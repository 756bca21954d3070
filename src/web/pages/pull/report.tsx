import CircleCheck from 'lucide-react/icons/circle-check'
import TriangleAlert from 'lucide-react/icons/triangle-alert'
import type { ModuleReport, VerifyReport } from '../../../schemas/pulls.ts'
import { Badge } from '../../components/badge.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { ServerText } from '../../components/server-text.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { pullsMessages } from '../../pulls/messages.ts'
import { baseName, useModuleName } from '../../pulls/pull-labels.tsx'
import classes from './report.module.css'

/** So many ids are shown; the report itself holds up to a thousand. */
const SHOWN_IDS = 20

/** What a check found, module by module; what differs is open, what matches is one line. */
export function Report({ report }: { report: VerifyReport }) {
  const m = useMessages(pullsMessages)
  const wrong = report.modules.filter(({ ok }) => !ok)
  return (
    <div className={classes.report}>
      <p className={classes.result} data-ok={report.ok}>
        {report.ok ? <CircleCheck size={17} aria-hidden /> : <TriangleAlert size={17} aria-hidden />}
        {report.ok ? m.reportOk : m.reportNotOk({ count: wrong.length })}
      </p>
      <div className={classes.modules}>
        {[...wrong, ...report.modules.filter(({ ok }) => ok)].map((module) => (
          <Module key={module.module} report={module} />
        ))}
      </div>
    </div>
  )
}

function Module({ report }: { report: ModuleReport }) {
  const m = useMessages(pullsMessages)
  const format = useFormat()
  const moduleName = useModuleName()
  const sets: [string, { count: number; ids: string[] }][] = [
    [m.missing, report.missing],
    [m.extra, report.extra],
    [m.stale, report.stale],
    [m.altered, report.altered],
    [m.duplicates, report.duplicates],
  ]
  // The server's sentences say the same: they are for what nothing below shows.
  const shown =
    sets.some(([, { count }]) => count > 0) ||
    report.totals.some(({ ok }) => !ok) ||
    (report.line_items?.wrong.count ?? 0) > 0 ||
    report.files.some(({ ok }) => !ok)
  return (
    <details className={classes.module} open={!report.ok}>
      <summary className={classes.summary}>
        <span className={classes.name}>{moduleName(report.module)}</span>
        <span className={classes.counts}>
          {m.inFiles} <bdi className={classes.number}>{format.number(report.records)}</bdi>
          {report.api_records !== null && (
            <>
              {' · '}
              {m.inZoho} <bdi className={classes.number}>{format.number(report.api_records)}</bdi>
            </>
          )}
        </span>
        <Badge tone={report.ok ? 'good' : 'bad'}>{report.ok ? m.matches : m.differs}</Badge>
      </summary>
      <div className={classes.detail}>
        {report.problems.length > 0 && !shown && (
          <ul className={classes.problems}>
            {report.problems.map((problem, n) => (
              <li key={problem}>
                <ServerText {...(report.findings?.[n] ?? NOT_CODED)} part="what">
                  {problem}
                </ServerText>
              </li>
            ))}
          </ul>
        )}
        {sets
          .filter(([, { count }]) => count > 0)
          .map(([name, { count, ids }]) => (
            <p key={name} className={classes.ids}>
              <strong>
                {name}: {format.number(count)}
              </strong>{' '}
              <Ltr mono>{ids.slice(0, SHOWN_IDS).join(' ')}</Ltr> {count > SHOWN_IDS && m.more({ count: count - SHOWN_IDS })}
            </p>
          ))}
        {report.totals.length > 0 && <Sums totals={report.totals} />}
        {report.line_items && <Lines lines={report.line_items} />}
        {report.files
          .filter(({ ok }) => !ok)
          .map(({ file, problem, finding }) => (
            <p key={file} className={classes.ids}>
              <strong>{m.file}:</strong> <Ltr mono>{baseName(file)}</Ltr>{' '}
              {problem && (
                <ServerText {...(finding ?? NOT_CODED)} part="what">
                  {problem}
                </ServerText>
              )}
            </p>
          ))}
        {report.repaired && <p className={classes.ids}>{m.repaired(report.repaired)}</p>}
      </div>
    </details>
  )
}

/** In reports of an older zinc the words are all there is. */
const NOT_CODED = { code: null }

function Sums({ totals }: { totals: ModuleReport['totals'] }) {
  const m = useMessages(pullsMessages)
  const format = useFormat()
  return (
    <table className={classes.sums}>
      <caption>{m.sums}</caption>
      <thead>
        <tr>
          <th scope="col">{m.currency}</th>
          <th scope="col">{m.sumFiles}</th>
          <th scope="col">{m.sumZoho}</th>
          <th scope="col">{m.state}</th>
        </tr>
      </thead>
      <tbody>
        {totals.map(({ currency, files, api, ok }) => (
          <tr key={currency}>
            <th scope="row">
              <Ltr>{currency}</Ltr>
            </th>
            <td>
              <Ltr>{format.money(files, null)}</Ltr>
            </td>
            <td>{api !== null && <Ltr>{format.money(api, null)}</Ltr>}</td>
            <td>
              <Badge tone={ok ? 'good' : 'bad'}>{ok ? m.matches : m.differs}</Badge>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Lines({ lines }: { lines: NonNullable<ModuleReport['line_items']> }) {
  const m = useMessages(pullsMessages)
  const format = useFormat()
  if (lines.wrong.count === 0) return <p className={classes.ids}>{m.linesRight({ count: lines.checked })}</p>
  return (
    <div className={classes.ids}>
      <strong>
        {m.linesWrong}: {format.number(lines.wrong.count)}
      </strong>
      <ul className={classes.problems}>
        {lines.wrong.documents.slice(0, SHOWN_IDS).map(({ id, total, expected, reason, finding }) => (
          <li key={id}>
            <Ltr mono>{id}</Ltr> <Ltr>{`${total} ≠ ${expected}`}</Ltr>{' '}
            <ServerText {...(finding ?? NOT_CODED)} part="what">
              {reason}
            </ServerText>
          </li>
        ))}
      </ul>
    </div>
  )
}
