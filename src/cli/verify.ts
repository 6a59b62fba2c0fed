/** `otelcontext verify`: reads everything in the data directory and says what is damaged. */
import type { Configuration } from '../config.ts'
import { type VerifyReport, verifyData } from '../engine/verify/verify-data.ts'
import { renderColumns } from './columns.ts'

/** Between two lines of progress. */
const progressMs = 1_000

/** `say` hears of progress, a line a second. */
export async function verify(
  configuration: Configuration,
  inboxFile: string,
  say: (line: string) => void,
): Promise<VerifyReport> {
  const startedMs = performance.now()
  let saidMs = startedMs
  const places = {
    store: configuration.store,
    inboxFile,
    deadLetterDirectory: configuration.deadLetterDirectory,
  }
  return verifyData(places, (stage, done, total, bytes) => {
    const nowMs = performance.now()
    if (nowMs - saidMs < progressMs) return
    saidMs = nowMs
    const of = total === null ? '' : ` of ${total}`
    const megabytes = bytes / 1e6
    const rate = megabytes / ((nowMs - startedMs) / 1000)
    say(`${stage}: ${done}${of}, ${megabytes.toFixed(0)} MB, ${rate.toFixed(0)} MB/s`)
  })
}

/** For a person. */
export function renderReport(report: VerifyReport): string {
  const { store, inbox, findings, findingCount } = report
  const lines = [
    store === null
      ? 'store: none that can be read'
      : `store: ${store.segments} segments with ${store.items} items, ${store.rollups} rollups, ${store.templates} templates, ${(store.bytes / 1e6).toFixed(1)} MB in ${store.name}`,
    inbox === null
      ? 'inbox: none that can be read'
      : `inbox: ${inbox.rows} rows with ${inbox.items} items, ${(inbox.bytes / 1e6).toFixed(1)} MB, last position ${inbox.lastPosition}`,
    `dead letters: ${report.deadLetters}`,
    `${findingCount === 0 ? 'nothing is damaged' : `${findingCount} findings`}; ${report.seconds} s`,
  ]
  if (findings.length > 0)
    lines.push(
      '',
      renderColumns(
        ['what', 'which', 'problem', 'items', 'what becomes of it'],
        findings.map(({ what, name, problem, items, served }) => [what, name, problem, items, served]),
        200,
      ),
    )
  if (findingCount > findings.length) lines.push(`and ${findingCount - findings.length} more`)
  return lines.join('\n')
}
