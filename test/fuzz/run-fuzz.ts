/** Runs targets in turn; every input follows from seed, target and number alone, so that any can be repeated. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { randomFrom } from '../otlp/mutation.ts'
import { type FuzzTarget, isRefusal } from './targets.ts'

/** An input that takes longer is a defect; it is run again before it counts, because the machine may have paused. */
export const slowMs = 250
const turnInputs = 50

export interface FuzzFailure {
  readonly target: string
  readonly input: number
  readonly problem: string
}

export interface FuzzFigures {
  inputs: number
  refused: number
  bytes: number
  slowestMs: number
  slowest: string
  readonly failures: FuzzFailure[]
}

export function noFigures(): FuzzFigures {
  return { inputs: 0, refused: 0, bytes: 0, slowestMs: 0, slowest: '', failures: [] }
}

/** One number from three; inputs of different targets have nothing in common. */
function seedOf(seed: number, target: string, input: number): number {
  let hash = 0x811c9dc5 ^ seed
  for (const character of `${target} ${input}`) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}

/** Feeds input number `input` of a target; returns how long it took, milliseconds. */
export function feed(target: FuzzTarget, seed: number, input: number, figures: FuzzFigures): number {
  const random = randomFrom(seedOf(seed, target.name, input))
  const startedMs = performance.now()
  try {
    figures.bytes += target.run(random)
  } catch (error) {
    if (isRefusal(error)) figures.refused++
    else {
      const problem = error instanceof Error ? (error.stack ?? error.message) : String(error)
      figures.failures.push({ target: target.name, input, problem })
    }
  }
  return performance.now() - startedMs
}

/** Inputs `from` to `to` (not included) of every target, times its share. */
export async function fuzz(
  targets: readonly FuzzTarget[],
  seed: number,
  from: number,
  to: number,
  figures: FuzzFigures,
): Promise<void> {
  for (const target of targets)
    for (let input = from * target.share; input < to * target.share; input++) {
      // Node lets go of an inflation that failed in a turn of the event loop; without one, memory only grows.
      if (input % turnInputs === 0) await nextTurn()
      let tookMs = feed(target, seed, input, figures)
      figures.inputs++
      for (let again = 0; again < 3 && tookMs > slowMs / 5; again++)
        tookMs = Math.min(tookMs, feed(target, seed, input, noFigures()))
      if (tookMs > figures.slowestMs) {
        figures.slowestMs = tookMs
        figures.slowest = `${target.name} ${input}`
      }
      if (tookMs > slowMs)
        figures.failures.push({ target: target.name, input, problem: `it takes ${tookMs.toFixed(0)} ms` })
    }
}
