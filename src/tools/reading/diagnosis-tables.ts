/** A diagnosis as tables: what it names, why, since when, who is hit, what changed, and where to check it. */
import type {
  Cause,
  ClockOffset,
  CoverageNote,
  Diagnosis,
  EvidenceHandle,
  Feature,
  Measured,
} from '../../graph/diagnosis/diagnosis.ts'
import type { Row, Table } from '../answer/draft.ts'
import { shortNumber } from '../answer/render.ts'
import { showName } from '../text/name.ts'

/** Enough of a trace id to be unique in any tenant, in half the tokens. */
export const shortTraceDigits = 12
const maxTracesShown = 2

const percent = (share: number): number => Math.round(share * 1_000) / 10

function measuredText(measured: Measured): string {
  return Object.entries(measured)
    .map(([name, value]) => `${name}=${shortNumber(value) ?? 'none'}`)
    .join(' ')
}

function handleText(handle: EvidenceHandle): string {
  switch (handle.kind) {
    case 'traces':
      return ''
    case 'template':
      return `template ${handle.templateId}: ${handle.pattern}`
    case 'metric':
      return `metric ${handle.metric}${handle.instance === '' ? '' : ` of ${handle.instance}`}${handle.attributes === '' ? '' : ` {${handle.attributes}}`}`
    case 'operation':
      return `operation ${handle.operation}`
    case 'edge':
      return `edge ${handle.caller} -> ${handle.callee}`
    case 'version':
      return `version ${handle.version}`
    default:
      return handle satisfies never
  }
}

function tracesOf(feature: Feature): readonly string[] {
  return feature.evidence
    .flatMap(handle => (handle.kind === 'traces' ? handle.traceIds : []))
    .slice(0, maxTracesShown)
    .map(id => id.slice(0, shortTraceDigits))
}

/** Where within the service, in words and names: the parts that are known. */
function placeOf({ location }: Cause): string {
  return [
    location.operation === '' ? '' : `operation ${location.operation}`,
    location.caller === '' ? '' : `called by ${location.caller}`,
    location.instance === '' ? '' : `instance ${location.instance}`,
    location.resource === '' ? '' : `resource ${location.resource}`,
    location.version === '' ? '' : `version ${location.version}`,
  ]
    .filter(part => part !== '')
    .join(', ')
}

/** How many of its traces show the first cause too: nearly all means that it goes along with that. */
function sharedPercent({ sharedWithFirst }: Diagnosis, at: number): number | null {
  const share = sharedWithFirst[at] ?? null
  return share === null ? null : percent(share)
}

export function causeTable(diagnosis: Diagnosis): Table {
  return {
    name: 'causes',
    columns: [
      { name: 'rank', kind: 'word' },
      { name: 'service', kind: 'svc' },
      { name: 'kind', kind: 'word' },
      { name: 'score', kind: 'word' },
      { name: 'onset', kind: 'time' },
      { name: 'sends_telemetry', kind: 'word' },
      { name: 'shared_pct', kind: 'word' },
      { name: 'where', kind: 'text' },
    ],
    rows: diagnosis.causes.map((cause, at) => ({
      importance: 100 - at,
      cells: [
        at + 1,
        cause.location.service,
        cause.kind,
        cause.score,
        cause.onsetMs,
        !cause.location.peer,
        sharedPercent(diagnosis, at),
        placeOf(cause),
      ],
    })),
    paged: false,
  }
}

/** Every feature of every cause: with `bias`, all that is needed to compute the scores again. */
export function featureTable(diagnosis: Diagnosis): Table {
  const rows: Row[] = diagnosis.causes.flatMap((cause, at) =>
    cause.features.map(feature => ({
      importance: (at === 0 ? 90 : 60 - at) + feature.value * 0.5,
      cells: [
        at + 1,
        feature.name,
        feature.value,
        feature.weight,
        measuredText(feature.measured),
        tracesOf(feature),
        feature.evidence
          .map(handleText)
          .filter(text => text !== '')
          .join('; '),
      ],
    })),
  )
  return {
    name: 'features',
    columns: [
      { name: 'cause', kind: 'word' },
      { name: 'feature', kind: 'word' },
      { name: 'value', kind: 'word' },
      { name: 'weight', kind: 'word' },
      { name: 'measured', kind: 'text' },
      { name: 'traces', kind: 'id' },
      { name: 'evidence', kind: 'text' },
    ],
    rows,
    paged: false,
  }
}

export function ruledOutTable(diagnosis: Diagnosis): Table {
  return {
    name: 'ruled_out',
    columns: [
      { name: 'service', kind: 'svc' },
      { name: 'reason', kind: 'word' },
      { name: 'explained_by', kind: 'svc' },
      { name: 'measured', kind: 'text' },
    ],
    rows: diagnosis.ruledOut.map((entry, at) => ({
      importance: (at < 4 ? 72 : 30) - at * 0.1,
      cells: [entry.service, entry.reason, entry.explainedBy, measuredText(entry.measured)],
    })),
    paged: false,
  }
}

export function onsetTable(diagnosis: Diagnosis): Table {
  const first = diagnosis.causes[0]?.location.service
  return {
    name: 'onsets',
    columns: [
      { name: 'service', kind: 'svc' },
      { name: 'signal', kind: 'word' },
      { name: 'onset', kind: 'time' },
      { name: 'end', kind: 'time' },
      { name: 'after_s', kind: 'word' },
      { name: 'through', kind: 'svc' },
    ],
    rows: diagnosis.onsets.map((onset, at) => ({
      // When the first cause moved is what the others are compared with.
      importance: (at < 4 || onset.service === first ? 76 : 35) - at * 0.1,
      cells: [
        onset.service,
        onset.signal,
        onset.onsetMs,
        onset.endMs,
        onset.afterMs === null ? null : Math.round(onset.afterMs / 100) / 10,
        onset.through,
      ],
    })),
    paged: false,
  }
}

export function affectedTable(diagnosis: Diagnosis): Table {
  return {
    name: 'affected',
    columns: [
      { name: 'service', kind: 'svc' },
      { name: 'entry_point', kind: 'word' },
      { name: 'requests', kind: 'word' },
      { name: 'exposed_pct', kind: 'word' },
      { name: 'affected_pct', kind: 'word' },
    ],
    rows: diagnosis.blastRadius.services.map((entry, at) => ({
      importance: (at < 4 || entry.entryPoint ? 78 : 40) - at * 0.1,
      cells: [
        entry.service,
        entry.entryPoint,
        entry.requests,
        percent(entry.exposedShare),
        percent(entry.affectedShare),
      ],
    })),
    paged: false,
  }
}

export function propagationTable(diagnosis: Diagnosis): Table {
  return {
    name: 'propagation',
    columns: [
      { name: 'caller', kind: 'svc' },
      { name: 'callee', kind: 'svc' },
      { name: 'callee_hit', kind: 'word' },
      { name: 'caller_hit_too', kind: 'word' },
      { name: 'probability', kind: 'word' },
    ],
    rows: diagnosis.blastRadius.propagation.map((edge, at) => ({
      importance: 45 - at,
      cells: [edge.caller, edge.callee, edge.calleeFailed, edge.callerFailed, edge.probability],
    })),
    paged: false,
  }
}

export function changeTable(diagnosis: Diagnosis): Table {
  const suspect = diagnosis.causes[0]?.location.service
  return {
    name: 'changes',
    columns: [
      { name: 'change', kind: 'word' },
      { name: 'service', kind: 'svc' },
      { name: 'at', kind: 'time' },
      { name: 'count', kind: 'word' },
      { name: 'name', kind: 'text' },
      { name: 'template', kind: 'text' },
    ],
    rows: diagnosis.changes.map((change, at) => ({
      importance: (change.service === suspect ? 74 : at < 4 ? 65 : 25) - at * 0.1,
      cells: [change.kind, change.service, change.atMs, change.count, change.name, change.text],
    })),
    paged: false,
  }
}

export function exemplarTable(diagnosis: Diagnosis): Table {
  return {
    name: 'exemplars',
    columns: [
      { name: 'trace_id', kind: 'id' },
      { name: 'traces', kind: 'word' },
      { name: 'duration_ms', kind: 'word' },
      { name: 'shape', kind: 'text' },
    ],
    rows: diagnosis.exemplars.map((exemplar, at) => ({
      importance: (at < 2 ? 80 : 50) - at * 0.1,
      cells: [exemplar.traceId, exemplar.traces, exemplar.durationMs, exemplar.shape],
    })),
    more: diagnosis.shapesLeftOut,
    paged: false,
  }
}

const noteWords: Readonly<Record<CoverageNote, string>> = {
  no_spans: 'no spans in the window',
  no_logs: 'no log records in the window',
  no_metrics: 'no metrics in the window',
  no_baseline: 'nothing stored to compare with',
  short_baseline: 'the baseline is short',
  few_traces: 'few traces: small effects cannot be seen',
  clock_skew: 'clocks disagree: spans of some services were moved',
  silent_services: 'some services of the baseline send no spans in the window',
  sampled_at_source: 'the senders sampled their traces',
  sampled_here: 'only a share of the spans was read',
  lag: 'the newest data is not readable yet',
  corrupt_segments: 'corrupt segments were skipped',
}

/** Features that rest on what programs wrote about themselves. */
const logFeatures = new Set(['error_logs'])

export function notesOf(diagnosis: Diagnosis): readonly string[] {
  const notes = diagnosis.coverage.notes.map(note => noteWords[note])
  const [clock] = diagnosis.coverage.clocks
  if (clock !== undefined) notes.push(clockWords(clock))
  const { silent } = diagnosis.coverage
  if (silent.length > 0) notes.push(`no spans any more: ${silent.map(name => showName(name)).join(', ')}`)
  const first = diagnosis.causes[0]
  if (first?.features.every(feature => logFeatures.has(feature.name)) === true)
    notes.push('one witness: the first cause rests on log text alone')
  if (!diagnosis.coverage.absenceIsEvidence) notes.push('something not seen here may still have happened')
  return notes
}

/** Of the one that is farthest off: who mends it sees the next. */
function clockWords({ service, aheadMs }: ClockOffset): string {
  const seconds = Math.round(Math.abs(aheadMs) / 100) / 10
  return `the clock of ${showName(service)} is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} its callers'`
}

/** What was read, by name. Log records are known by blocks only, which differ by how they are stored. */
export function readOf({ coverage }: Diagnosis): Readonly<Record<string, number>> {
  const { window, baseline } = coverage
  return {
    spans: window.spans,
    traces: window.traces,
    share_pct: percent(window.share),
    metric_series: window.metricSeries,
    baseline_spans: baseline.spans,
    baseline_share_pct: percent(baseline.share),
    ...(coverage.orphanSpans > 0 ? { orphan_spans: coverage.orphanSpans } : {}),
  }
}

const kindWords: Readonly<Record<Cause['kind'], string>> = {
  slow: 'is slow',
  failing: 'is failing',
  not_called: 'is not called any more',
  saturated: 'is saturated',
  changed: 'behaves differently',
  surge: 'gets more traffic than the system serves in time',
}

/** `payment is failing`, with the name as it may be shown. */
export function causeWords(cause: Cause): string {
  return `${showName(cause.location.service)} ${kindWords[cause.kind]}`
}
