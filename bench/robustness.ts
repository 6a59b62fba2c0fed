/**
 * Which answers about labelled incidents change when the incident is seen a little differently: half of the requests,
 * another cut of the window, a signal less. In process: the real decoders, graph and diagnosis.
 *
 *   npm run bench:robustness -- --cases DIR [--only GLOB] [--perturbation NAME,NAME] [--quiet-windows] [--borrowed N] [--features FILE]
 *
 * With `--borrowed N` each case is asked against the fault-free time of N others of its system instead, and so are these
 * times against each other.
 *
 * One JSON line per case and perturbation on stdout, a table on stderr.
 */
import { appendFileSync, writeFileSync } from 'node:fs'
import type { Candidate } from '../src/graph/diagnosis/candidates.ts'
import type { Judgement } from '../src/graph/diagnosis/judge.ts'
import type { MemoryReader } from '../test/graph/diagnosis/memory-reader.ts'
import { readOptions, refuse } from './command-line.ts'
import { borrowedBaselines, borrowedQuietWindows } from './incidents/borrowed-baselines.ts'
import { findCases, type IncidentCase, type Label, readLabels } from './incidents/cases.ts'
import { holdCase, judgeCase } from './incidents/held-case.ts'
import { type Perturbation, perturbations } from './incidents/perturbations.ts'
import { distinctBaselines, quietWindows } from './incidents/quiet-windows.ts'
import { faultFree, isTrue } from './incidents/score.ts'

const help = `usage: npm run bench:robustness -- --cases DIR [--only GLOB] [--perturbation NAME,NAME] [--quiet-windows] [--borrowed N] [--features FILE]

  --cases DIR           labelled incidents, a folder each, at any depth
  --only GLOB           those whose names match
  --perturbation A,B    these alone: ${perturbations.map(one => one.name).join(', ')}
  --quiet-windows       windows inside the fault-free times as well
  --borrowed N          against the fault-free time of N other cases of the system instead
  --features FILE       keeps what was judged, for bench:fit and bench:reliability
  --help                this text

One JSON line per case and perturbation on stdout, a table on stderr.`
const values = readOptions(help, {
  cases: { type: 'string', default: '' },
  only: { type: 'string', default: '' },
  perturbation: { type: 'string', default: '' },
  features: { type: 'string', default: '' },
  borrowed: { type: 'string', default: '0' },
  'quiet-windows': { type: 'boolean', default: false },
})
if (values.cases === '') refuse(help, 'name a folder with --cases')
const cases = findCases(values.cases, values.only)
const labels = readLabels(cases)
const wanted = values.perturbation === '' ? null : new Set(values.perturbation.split(','))
const chosen = perturbations.filter(one => wanted === null || wanted.has(one.name))
if (values.features !== '') writeFileSync(values.features, '')

interface Tally {
  n: number
  right: number
  firm: number
  firmRight: number
  healthy: number
}
const tallies = new Map<string, Tally>()

const borrowed = Number(values.borrowed)
for (const incident of borrowed > 0 ? [] : cases) {
  const label = labels.get(incident.name)
  if (label === undefined) continue
  let plain: MemoryReader | null = null
  for (const perturbation of chosen) {
    const untouched = perturbation.keeps === undefined && perturbation.change === undefined
    const reader: MemoryReader = untouched
      ? (plain ?? holdCase(incident, {}))
      : holdCase(incident, perturbation)
    if (untouched) plain = reader
    const asked = perturbation.ask?.(incident) ?? incident
    record(incident, perturbation, label, await judgeCase(reader, asked))
  }
}
for (const { asked, lender } of borrowed > 0 ? borrowedBaselines(cases, borrowed) : []) {
  const reader = holdCase(asked, {}, { asked, beside: lender })
  const name = `borrowed ${lender.name}`
  record(asked, { name }, labels.get(asked.name) ?? faultFree, await judgeCase(reader, asked))
}
for (const { asked, lender } of borrowed > 0 ? borrowedQuietWindows(cases, borrowed) : []) {
  const reader = holdCase(asked, {}, { asked, beside: lender })
  record(asked, { name: 'quiet' }, faultFree, await judgeCase(reader, asked))
}
if (values['quiet-windows']) {
  for (const incident of distinctBaselines(cases)) {
    const reader = holdCase(incident, {})
    for (const quiet of quietWindows(incident)) {
      record(quiet, { name: 'quiet' }, faultFree, await judgeCase(reader, quiet))
    }
  }
}
for (const [key, { n, right, firm, firmRight, healthy }] of [...tallies].sort((a, b) =>
  a[0] < b[0] ? -1 : 1,
)) {
  const percent = (part: number) => `${Math.round((100 * part) / n)} %`.padStart(5)
  const texts = [`n ${n}`.padStart(5), `AC@1 ${percent(right)}`, `firm ${percent(firm)}`]
  console.error(key.padEnd(40), ...texts, `right among firm ${firmRight}/${firm}`, `healthy ${healthy}`)
}

function record(incident: IncidentCase, { name }: Perturbation, label: Label, found: Judgement): void {
  const { verdict, named } = found
  const firm = verdict === 'confirmed' || verdict === 'likely'
  const first = named[0]?.cause
  const alarm = firm || (first !== undefined && first.score > 0.2)
  const right = label.service === null ? !alarm : isTrue(label, first?.location.service)
  const causes = named.map(({ cause }) => ({ service: cause.location.service, score: cause.score }))
  console.log(JSON.stringify({ case: incident.name, perturbation: name, right, verdict, causes }))
  const key = `${incident.dataset} ${name.split(' ')[0]}`
  const tally = tallies.get(key) ?? { n: 0, right: 0, firm: 0, firmRight: 0, healthy: 0 }
  tallies.set(key, tally)
  tally.n++
  if (right) tally.right++
  if (firm) tally.firm++
  if (firm && right) tally.firmRight++
  if (verdict === 'healthy') tally.healthy++
  if (values.features !== '')
    appendFileSync(values.features, `${JSON.stringify(rowOf(incident, name, label, found))}\n`)
}

/** What a fit needs to know: every candidate's features, and which is the true one. */
function rowOf(
  incident: IncidentCase,
  perturbation: string,
  label: Label,
  { all, named, verdict, evidence }: Judgement,
): object {
  return {
    case: incident.name,
    dataset: incident.dataset,
    fault: label.fault,
    // As this answer names it: something without telemetry goes by a port or by its kind.
    truth: label.service === null ? null : (trueName(label, all) ?? label.service),
    perturbation,
    verdict,
    hurt: evidence.hurt.value,
    listed: named.map(({ cause }) => cause.location.service),
    listedTop: named[0]?.cause.score ?? 0,
    candidates: all.map(candidateRow),
  }
}

function trueName(label: Label, all: readonly Candidate[]): string | undefined {
  return all.find(({ cause }) => isTrue(label, cause.location.service))?.cause.location.service
}

function candidateRow({ cause }: Candidate): object {
  return {
    service: cause.location.service,
    kind: cause.kind,
    features: Object.fromEntries(cause.features.map(({ name, value }) => [name, value])),
    measured: Object.fromEntries(cause.features.map(({ name, measured }) => [name, measured])),
  }
}
