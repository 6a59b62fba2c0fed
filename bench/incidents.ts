/**
 * Root-cause answers on labelled incidents, end to end: per case the real server on an empty data directory,
 * the case over OTLP/HTTP, the question over MCP.
 *
 *   npm run bench:incidents -- --cases DIR [--labels] [--only GLOB] [--detection SECS] [--quiet-windows] [--answers DIR] [--write DIR] [--jobs N]
 *
 * With `--detection` the question is asked again about windows that end so many seconds after the beginning, twice
 * as many, and so on, which tells after how many seconds the answer is firm and right.
 *
 * With `--answers` the answer of `root_cause_analysis` to each case goes to a file of its own, for `bench/recompute.ts`.
 *
 * `--jobs` cases are played side by side, two by default; one for times of answers that others do not lengthen.
 *
 * With `--write` nothing is run: the requests go to files, and the commands that replay them and ask are printed.
 * One JSON line per case on stdout: `{"case","verdict","causes":[{"service","score"}],"tokens","ms"}`. With
 * `--labels` summary lines follow. Everything else goes to stderr. Labels are opened only with `--labels`.
 * `--quiet-windows` asks about windows inside the fault-free times instead: nothing is wrong there, so that a firm
 * answer or a cause above the alarm score is a false alarm.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readOptions, refuse } from './command-line.ts'
import { writeCase } from './incidents/by-hand.ts'
import { findCases, type IncidentCase, readLabels } from './incidents/cases.ts'
import { configurationHash } from './incidents/configuration.ts'
import {
  type EarlierAnswer,
  type Investigated,
  investigate,
  investigateGrowing,
  rankingAnswer,
} from './incidents/question.ts'
import { distinctBaselines, quietWindows } from './incidents/quiet-windows.ts'
import { faultFree, summarise, summariseControls } from './incidents/score.ts'
import { withServedCase } from './incidents/served-case.ts'

const help = `usage: npm run bench:incidents -- --cases DIR [--labels] [--only GLOB] [--detection SECS] [--quiet-windows] [--answers DIR] [--write DIR] [--jobs N]

  --cases DIR        labelled incidents, a folder each, at any depth
  --only GLOB        those whose names match
  --labels           opens the labels, and prints scores per dataset and fault kind with their intervals
  --quiet-windows    asks about windows inside the fault-free times instead, where every cause is a false alarm
  --detection SECS   asks again about windows that end so many seconds after the beginning, twice as many, and so on
  --answers DIR      keeps each answer of root_cause_analysis in a file, for bench:recompute
  --write DIR        runs nothing: writes the requests, and prints the commands that replay them and ask
  --jobs N           cases side by side (default 2); one for times of answers that others do not lengthen
  --help             this text

One JSON line per case on stdout, the rest on stderr.`
const values = readOptions(help, {
  cases: { type: 'string', default: '' },
  labels: { type: 'boolean', default: false },
  only: { type: 'string', default: '' },
  'quiet-windows': { type: 'boolean', default: false },
  answers: { type: 'string', default: '' },
  write: { type: 'string', default: '' },
  detection: { type: 'string', default: '0' },
  jobs: { type: 'string', default: '2' },
})
if (values.cases === '') refuse(help, 'name a folder with --cases')
const cases = findCases(values.cases, values.only)
if (cases.length === 0) {
  console.error(`no case below ${values.cases} matches`)
  process.exit(2)
}
if (values.write !== '') {
  for (const incident of cases) console.log(writeCase(incident, values.write).join('\n'))
  process.exit(0)
}
/** Seconds; 0: not asked. */
const detectionStep = Number(values.detection)
const quiet = values['quiet-windows']
const configuration = configurationHash()
console.error(`configuration ${configuration}`)
const answers = new Map<string, Played>()
let failed = 0
const queue = [...(quiet ? distinctBaselines(cases) : cases)]
await Promise.all(Array.from({ length: Math.max(1, Number(values.jobs)) }, playQueue))
printTimes([...answers.values()])
if (quiet) printAlarms()
else if (values.labels) printScores()
process.exit(failed === 0 ? 0 : 1)

/** Much of a case is waiting: for a server to start, for its sealing. Another one is played meanwhile. */
async function playQueue(): Promise<void> {
  for (let incident = queue.shift(); incident !== undefined; incident = queue.shift()) {
    try {
      await playCase(incident, quiet ? quietWindows(incident) : [incident])
    } catch (error) {
      failed++
      console.error(`${incident.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}

interface Played extends Investigated {
  readonly earlier: readonly EarlierAnswer[]
}

/** Sends a case to a server of its own and asks it these questions. */
async function playCase(incident: IncidentCase, questions: readonly IncidentCase[]): Promise<void> {
  await withServedCase(incident, async url => {
    for (const question of questions) {
      const answer = await investigate(url, question)
      const earlier = detectionStep > 0 ? await investigateGrowing(url, question, detectionStep) : []
      answers.set(question.name, { ...answer, earlier })
      const { verdict, causes, tokens, ms } = answer
      console.log(JSON.stringify({ case: question.name, verdict, causes, tokens, ms }))
      if (values.answers !== '') await keepRanking(url, question, causes[0]?.service ?? '')
    }
  })
}

/** That tool wants a service: whom the alarm named, or else the first cause. */
async function keepRanking(url: string, question: IncidentCase, first: string): Promise<void> {
  const service = question.service === '' ? first : question.service
  if (service === '') return
  mkdirSync(values.answers, { recursive: true })
  writeFileSync(
    join(values.answers, `${question.name}.json`),
    await rankingAnswer(url, { ...question, service }),
  )
}

function printTimes(all: readonly Investigated[]): void {
  const times = all.map(each => each.ms).sort((a, b) => a - b)
  const tokens = all.map(each => each.tokens).sort((a, b) => a - b)
  const at = (sorted: readonly number[], q: number) => sorted[Math.floor(q * (sorted.length - 1))] ?? 0
  console.error(
    `${all.length} answers: ${at(times, 0.5)} ms median, ${at(times, 0.95)} ms p95; ` +
      `${at(tokens, 0.5)} tokens median, ${at(tokens, 1)} most`,
  )
}

function printScores(): void {
  const labels = readLabels(cases)
  const scored = cases.flatMap(incident => {
    const label = labels.get(incident.name)
    if (label === undefined) return []
    // A case that could not be played counts as wrong.
    const answer = answers.get(incident.name) ?? { verdict: 'failed', causes: [], earlier: [] }
    const { name, dataset } = incident
    return [{ name, dataset, label, answer, earlier: answer.earlier }]
  })
  for (const line of summarise(scored)) console.log(JSON.stringify({ ...line, configuration }))
}

/** Fault-free windows, and those that alarm. */
function printAlarms(): void {
  const scored = distinctBaselines(cases).flatMap(({ name: incident, dataset }) =>
    [...answers]
      .filter(([name]) => name.startsWith(`${incident}-quiet-`))
      .map(([name, answer]) => ({ name, dataset, label: faultFree, answer, earlier: [] })),
  )
  for (const line of summariseControls(scored)) console.log(JSON.stringify({ ...line, configuration }))
}
