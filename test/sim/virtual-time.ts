/**
 * Time that passes only when nothing is left to do now. Events run in order of their time, those of the same time in
 * the order in which they were set; between two events every promise settles. The wall clock that the simulated
 * process sees can be moved apart from it.
 */
import { setImmediate as realTurn } from 'node:timers/promises'
import type { Clock } from '../../src/model/time.ts'
import type { Timers } from '../../src/model/timers.ts'

interface Event {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
  cancelled: boolean
}

export class VirtualTime {
  /** Since the start of the simulation. */
  nowMs = 0
  events = 0
  readonly #heap: Event[] = []
  #order = 0

  /** Returns what calls it off. */
  after(ms: number, run: () => void): () => void {
    const event: Event = {
      atMs: this.nowMs + Math.max(0, ms),
      order: this.#order++,
      run,
      cancelled: false,
    }
    this.#push(event)
    return () => {
      event.cancelled = true
    }
  }

  /** Runs events until `done` holds between two of them (true), or time or events are used up (false). */
  async run(until: { readonly ms: number; readonly maxEvents: number; done(): boolean }): Promise<boolean> {
    for (let count = 0; count < until.maxEvents; ) {
      if (until.done()) return true
      const next = this.#pop()
      if (next === undefined) return until.done()
      if (next.cancelled) continue
      if (next.atMs > until.ms) {
        this.#push(next)
        return false
      }
      count++
      this.events++
      this.nowMs = Math.max(this.nowMs, next.atMs)
      next.run()
      await realTurn()
    }
    throw new Error(`${until.maxEvents} events and no end: something goes round in circles`)
  }

  #before(a: Event, b: Event): boolean {
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
  }

  #push(event: Event): void {
    const heap = this.#heap
    heap.push(event)
    for (let at = heap.length - 1; at > 0; ) {
      const up = (at - 1) >> 1
      const parent = heap[up]
      if (parent === undefined || !this.#before(event, parent)) break
      heap[at] = parent
      heap[up] = event
      at = up
    }
  }

  #pop(): Event | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    heap[0] = last
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      const right = left + 1
      let least = at
      for (const child of [left, right]) {
        const candidate = heap[child]
        const current = heap[least]
        if (candidate !== undefined && current !== undefined && this.#before(candidate, current))
          least = child
      }
      if (least === at) return first
      const moved = heap[at]
      const smaller = heap[least]
      if (moved === undefined || smaller === undefined) return first
      heap[at] = smaller
      heap[least] = moved
      at = least
    }
  }
}

/** Thrown into code of a process that has just died; whatever that code does from then on has no effect. */
export class ProcessDied extends Error {}

/**
 * A process, or a thread of one, that can die at any time. Its timers die with it, and everything it does to the
 * world goes through `step`, which is where a planned death strikes.
 */
export class SimulatedProcess {
  readonly #time: VirtualTime
  readonly #parent: SimulatedProcess | null
  #died = false
  #stepsLeft: number
  steps = 0
  /** Called once when it dies by a planned step. */
  onDeath: (() => void) | null = null

  constructor(time: VirtualTime, dieAfterSteps: number, parent: SimulatedProcess | null = null) {
    this.#time = time
    this.#stepsLeft = dieAfterSteps
    this.#parent = parent
  }

  get alive(): boolean {
    return !this.#died && this.#parent?.alive !== false
  }

  die(): void {
    this.#died = true
  }

  /** Something outside is about to be changed. Throws ProcessDied when it never comes to that. */
  step(): void {
    if (!this.alive) throw new ProcessDied('the process is gone')
    this.steps++
    this.#parent?.step()
    if (this.#stepsLeft-- > 0) return
    this.#died = true
    this.onDeath?.()
    throw new ProcessDied('the process dies here')
  }

  readonly timers: Timers = {
    after: (ms, run) =>
      this.#time.after(ms, () => {
        if (this.alive) run()
      }),
    soon: run => void this.timers.after(0, run),
    nextTurn: () => new Promise(resolve => this.timers.after(0, resolve)),
    elapsedMs: () => this.#time.nowMs,
  }
}

/** The wall clock of a machine: virtual time, moved back or forth by an operator or a time server. */
export class WallClock implements Clock {
  readonly #time: VirtualTime
  readonly #epochMs: number
  offsetMs = 0

  constructor(time: VirtualTime, epochMs: number) {
    this.#time = time
    this.#epochMs = epochMs
  }

  now(): number {
    return Math.floor(this.#epochMs + this.#time.nowMs + this.offsetMs)
  }
}
