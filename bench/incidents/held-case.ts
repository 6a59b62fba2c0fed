/** A case held in memory and judged in process: the real decoders, graph and diagnosis, without server and store. */
import { type Judgement, judge } from '../../src/graph/diagnosis/judge.ts'
import { MemoryReader } from '../../test/graph/diagnosis/memory-reader.ts'
import type { IncidentCase } from './cases.ts'
import type { RequestJson } from './otlp-json.ts'
import type { Perturbation } from './perturbations.ts'
import { type ExportRequest, exportRequests } from './send.ts'

const patient = { signal: new AbortController().signal, check: () => undefined }

export interface Sending {
  /** What is asked later, which says what time it is by then. */
  readonly asked?: IncidentCase
  /** A case whose telemetry is taken in as well. */
  readonly beside?: IncidentCase
  readonly arrange?: (requests: readonly ExportRequest[]) => readonly ExportRequest[]
}

/** Takes in everything that is sent about the case, in another order if `arrange` says so. */
export function holdCase(
  incident: IncidentCase,
  { keeps, change }: Omit<Perturbation, 'name'>,
  { asked = incident, beside, arrange = requests => requests }: Sending = {},
): MemoryReader {
  const reader = new MemoryReader(Math.max(asked.window.toMs, asked.baseline.toMs) + 60_000)
  for (const { signal, body } of arrange([
    ...exportRequests(incident),
    ...(beside === undefined ? [] : exportRequests(beside)),
  ])) {
    if (keeps !== undefined && !keeps(signal)) continue
    const request = JSON.parse(body) as RequestJson // layout of the data
    change?.(request)
    reader.add(signal, request)
  }
  return reader
}

export function judgeCase(
  reader: MemoryReader,
  { window, baseline, service }: IncidentCase,
): Promise<Judgement> {
  return judge({ reader, window, baseline, service: service === '' ? null : service, deadline: patient })
}
