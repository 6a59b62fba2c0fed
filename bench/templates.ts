/**
 * Groups the log lines of a CSV file (column `Content`) into templates, as the server would for one service,
 * and prints one JSON line per log line: `{"line","group","template"}`, as grouped after the last line.
 * With `--labels` (columns `EventId`, `EventTemplate`) a last line tells how well it did, by the definitions of
 * Khan, Shin, Bianculli, Briand, "Guidelines for assessing the accuracy of log message template
 * identification techniques", ICSE 2022: GA and FGA by grouping, PA and FTA by exact template text.
 *
 * `lines_per_cpu_second` is mining alone, as bytes in, once the code is compiled and the templates are known: what
 * a server does all day. What the first pass costs, templates and compilation included, goes to stderr.
 *
 *   npm run bench:templates -- --input FILE.csv [--input FILE.csv ...] [--labels] [--quiet]
 */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { TemplateMiner } from '../src/graph/templates/template-miner.ts'
import { readOptions, refuse } from './command-line.ts'

const help = `usage: npm run bench:templates -- --input FILE.csv [--input FILE.csv ...] [--labels] [--quiet]

  --input FILE   log lines in the column Content
  --labels       scores by the columns EventId and EventTemplate
  --quiet        scores alone, no line per log line
  --help         this text`

interface Row {
  readonly content: string
  readonly eventId: string
  readonly template: string
}

interface Grouped {
  readonly group: string
  readonly template: string
}

interface Scores {
  readonly GA: number
  readonly FGA: number
  readonly PA: number
  readonly FTA: number
}

/** Records of a CSV text (RFC 4180): quoted fields may hold commas, doubled quotes and line ends. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let field = ''
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (quoted) {
      if (character !== '"') field += character
      else if (text[i + 1] === '"') field += text[++i]
      else quoted = false
    } else if (character === '"') quoted = true
    else if (character === ',') {
      row.push(field)
      field = ''
    } else if (character === '\n') {
      row.push(field.endsWith('\r') ? field.slice(0, -1) : field)
      rows.push(row)
      row = []
      field = ''
    } else field += character
  }
  if (field !== '' || row.length > 0) rows.push([...row, field])
  return rows
}

function readRows(file: string): Row[] {
  const [header = [], ...records] = parseCsv(readFileSync(file, 'utf8'))
  const column = (name: string) => header.indexOf(name)
  const content = column('Content')
  if (content < 0) throw new Error(`${file} has no column Content`)
  return records.map(record => ({
    content: record[content] ?? '',
    eventId: record[column('EventId')] ?? '',
    template: record[column('EventTemplate')] ?? '',
  }))
}

function newMiner(): TemplateMiner {
  return new TemplateMiner({
    tenant: 'bench',
    templates: [],
    maxTemplates: 10_000,
    maxTemplatesPerService: 10_000,
  })
}

/** Long enough for the clock of the processor, and for compiled code. */
const measuredSeconds = 0.5

/** Lines per CPU-second of mining them over and over. */
function throughput(rows: readonly Row[]): number {
  const miner = newMiner()
  const tree = miner.treeOf('bench')
  const lines = rows.map(row => Buffer.from(row.content, 'utf8'))
  const seconds = (passes: number): number => {
    const started = process.cpuUsage()
    for (let pass = 0; pass < passes; pass++)
      for (const line of lines) miner.assignBytes(tree, line, 0, line.length, 0, pass)
    const { user, system } = process.cpuUsage(started)
    return (user + system) / 1e6
  }
  seconds(20)
  let passes = 0
  let used = 0
  while (used < measuredSeconds) {
    used += seconds(10)
    passes += 10
  }
  return (passes * lines.length) / used
}

function group(rows: readonly Row[]): Grouped[] {
  const miner = newMiner()
  const numbers = rows.map((row, i) => miner.assign('bench', row.content, 0, i))
  return numbers.map(number => {
    const now = miner.current(number)
    return { group: miner.idOf(now), template: miner.patternOf(now) }
  })
}

function indicesBy(keys: readonly string[]): Map<string, number[]> {
  const groups = new Map<string, number[]>()
  for (const [i, key] of keys.entries()) {
    const list = groups.get(key)
    if (list === undefined) groups.set(key, [i])
    else list.push(i)
  }
  return groups
}

function oneSpaced(text: string): string {
  return text.trim().replace(/\s+/g, ' ')
}

function harmonic(right: number, found: number, wanted: number): number {
  return right === 0 ? 0 : (2 * right) / (found + wanted)
}

function score(rows: readonly Row[], grouped: readonly Grouped[]): Scores {
  const truth = indicesBy(rows.map(row => oneSpaced(row.template)))
  const found = indicesBy(grouped.map(line => line.group))
  let rightLines = 0
  let rightGroups = 0
  let rightTemplates = 0
  for (const lines of found.values()) {
    const ids = new Set(lines.map(i => oneSpaced(rows[i]?.template ?? '')))
    const first = lines[0] ?? 0
    if (ids.size !== 1) continue
    const text = oneSpaced(rows[first]?.template ?? '')
    if (truth.get(text)?.length === lines.length) {
      rightLines += lines.length
      rightGroups++
    }
    if (oneSpaced(grouped[first]?.template ?? '') === text) rightTemplates++
  }
  const exact = rows.filter((row, i) => oneSpaced(row.template) === oneSpaced(grouped[i]?.template ?? ''))
  return {
    GA: rightLines / rows.length,
    FGA: harmonic(rightGroups, found.size, truth.size),
    PA: exact.length / rows.length,
    FTA: harmonic(rightTemplates, found.size, truth.size),
  }
}

function rounded(scores: Scores): Record<string, number> {
  return Object.fromEntries(
    Object.entries(scores).map(([name, value]) => [name, Math.round(value * 1000) / 1000]),
  )
}

function main(): void {
  const values = readOptions(help, {
    input: { type: 'string', multiple: true },
    labels: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
  })
  const files = values.input ?? []
  if (files.length === 0) refuse(help, 'name a CSV file with --input')
  const all: Scores[] = []
  const secondsPerLine: number[] = []
  for (const file of files) {
    const rows = readRows(file)
    const started = process.cpuUsage()
    const grouped = group(rows)
    const used = process.cpuUsage(started)
    const perSecond = Math.round(rows.length / ((used.user + used.system) / 1e6))
    if (!values.quiet) {
      const lines = grouped.map((line, i) => JSON.stringify({ line: i + 1, ...line }))
      process.stdout.write(`${lines.join('\n')}\n`)
    }
    process.stderr.write(`${basename(file)}: ${rows.length} lines, first pass ${perSecond} per CPU-second\n`)
    if (!values.labels || rows.every(row => row.eventId === '')) continue
    const scores = score(rows, grouped)
    const speed = throughput(rows)
    all.push(scores)
    secondsPerLine.push(1 / speed)
    const line = { file: basename(file), lines: rows.length, ...rounded(scores) }
    process.stdout.write(`${JSON.stringify({ ...line, lines_per_cpu_second: Math.round(speed) })}\n`)
  }
  if (all.length > 1) {
    const mean = (name: keyof Scores) => all.reduce((sum, scores) => sum + scores[name], 0) / all.length
    const scores = { GA: mean('GA'), FGA: mean('FGA'), PA: mean('PA'), FTA: mean('FTA') }
    const seconds = secondsPerLine.reduce((sum, one) => sum + one, 0) / all.length
    const line = { file: 'mean', systems: all.length, ...rounded(scores) }
    process.stdout.write(`${JSON.stringify({ ...line, lines_per_cpu_second: Math.round(1 / seconds) })}\n`)
  }
}

main()
