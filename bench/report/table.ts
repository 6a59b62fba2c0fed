/** The results as a Markdown table, and its place in the README of the benchmarks. */
import { readFileSync, writeFileSync } from 'node:fs'
import { type Figure, shown } from '../rows/row.ts'
import { rows } from '../rows/rows.ts'
import type { BenchState, RowRecord } from './state.ts'

const begin = '<!-- results: written by `npm run bench`, not by hand -->'
const end = '<!-- /results -->'

/** Rows in their own order, figures as they were given. */
export function resultsMarkdown(state: BenchState): string {
  const found = rows.flatMap(row => state.rows.filter(record => record.id === row.id))
  const last = found.reduce((latest, record) => (record.at > latest ? record.at : latest), '')
  const scales = [...new Set(found.map(record => record.scale))].join(' and ')
  const loads = found.map(record => record.loadAverage)
  const lines = [
    `Last run ${last.slice(0, 10)}, scale ${scales}, on ${state.machine}; the load generator runs on the same cores.`,
    `Load average at the end of each row: ${shown(Math.min(...loads))} to ${shown(Math.max(...loads))}; two or three are the benchmark's own, what is above`,
    'ran beside it and lengthens times that pass, less so processor time, and ratios hardly.',
    '',
    '| | measured | baseline in the same run | ratio | goal | |',
    '|---|---|---|---|---|---|',
    ...found.flatMap(record => record.figures.map(line)),
  ]
  return lines.join('\n')
}

function line(figure: Figure): string {
  const verdict = figure.reached === null ? '' : figure.reached ? 'reached' : '**not reached**'
  const ratio = figure.ratio === null ? '' : shown(figure.ratio)
  return `| ${figure.what} | ${shown(figure.value)} ${figure.unit} | ${figure.baseline} | ${ratio} | ${figure.goal} | ${verdict} |`
}

/** For a terminal. */
export function resultLines(record: RowRecord): string {
  return record.figures
    .map(figure => {
      const verdict = figure.reached === null ? ' ' : figure.reached ? '+' : '-'
      const goal = figure.goal === '' ? '' : `  (goal: ${figure.goal})`
      const baseline = figure.baseline === '' ? '' : `  [${figure.baseline}]`
      return `  ${verdict} ${figure.what}: ${shown(figure.value)} ${figure.unit}${baseline}${goal}`
    })
    .join('\n')
}

/** Replaces what stands between the marks. */
export function writeResults(readme: string, markdown: string): void {
  const text = readFileSync(readme, 'utf8')
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`${readme} has no place for results`)
  writeFileSync(readme, `${text.slice(0, from + begin.length)}\n${markdown}\n${text.slice(to)}`)
}
