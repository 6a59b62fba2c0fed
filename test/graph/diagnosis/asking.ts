/** Questions about the made-up system: two healthy minutes, then a minute with whatever happens to it. */
import { diagnose } from '../../../src/graph/diagnosis/diagnose.ts'
import type { Cause, Diagnosis } from '../../../src/graph/diagnosis/diagnosis.ts'
import type { Deadline } from '../../../src/model/reader.ts'
import type { Signal } from '../../../src/model/telemetry.ts'
import { MemoryReader } from './memory-reader.ts'
import { type Fault, type History, makeHistory, type Requests } from './synthetic-system.ts'

export const baseMs: number = Date.UTC(2026, 0, 15, 10, 0, 0)
export const faultMs: number = baseMs + 120_000
export const endMs: number = faultMs + 60_000
export const patient: Deadline = { signal: new AbortController().signal, check: () => undefined }

export function history(fault: Fault, seed = 1, besides: Partial<History> = {}): Requests {
  const usual = { seed, fromMs: baseMs, toMs: endMs, faultMs, fault, requestsPerSecond: 6 }
  return makeHistory({ ...usual, ...besides })
}

export function readerOf(
  requests: Requests,
  signals: readonly Signal[] = ['traces', 'logs', 'metrics'],
): MemoryReader {
  const reader = new MemoryReader(endMs + 1000)
  for (const signal of signals) for (const request of requests[signal]) reader.add(signal, request)
  return reader
}

export function ask(reader: MemoryReader, service: string | null = null): Promise<Diagnosis> {
  return diagnose({
    reader,
    window: { fromMs: faultMs, toMs: endMs },
    baseline: { fromMs: baseMs, toMs: faultMs },
    service,
    deadline: patient,
  })
}

export function firm(diagnosis: Diagnosis): boolean {
  return diagnosis.verdict === 'likely' || diagnosis.verdict === 'confirmed'
}

/** The link as the answer's reader would recompute it, on purpose not the code under test. */
export function recompute(cause: Cause, bias: number): number {
  let logOdds = bias
  for (const { weight, value } of cause.features) logOdds += weight * value
  return Math.round((1 / (1 + Math.exp(-logOdds))) * 1000) / 1000
}
