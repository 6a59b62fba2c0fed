/** How V8 is to manage the heaps of this process, all threads. Names are V8's own (`node --v8-options`). */
import { setFlagsFromString } from 'node:v8'

/**
 * How much an old generation may grow between two full collections, percent. Left alone it is a tenth, so small as ours
 * are, and what lies outside of the heap counts too: at full ingest a thread of 15 MB was collected in full four times a
 * second, which made a span a sixth dearer. With 200 a hundredth cheaper, and 20 MiB more.
 */
const usualGrowth = 100
/** V8's own. Ten times the load makes 610 MiB resident where heaps may triple. */
const scarceGrowth = 10
/** What full ingest takes stays below. Beyond it there is a hundred MiB to what the process may have, and what has grown stays. */
const scarceAboveMib = 400
const plentyBelowMib = 355

const youngFlags = [
  // Young generations stay as they begin, instead of growing to 16 MiB a half: 618 MiB resident at full ingest, 500 with
  // these two, at the same processor time. Four for threads that answer, which with two take a tenth longer for a diagnosis;
  // inbox and engine are given less. The main thread began before and stays at half a megabyte to one.
  '--semi-space-growth-factor=1',
  '--min-semi-space-size=4',
]

/** To be called before other threads start, whose heaps follow it. */
export function setHeapFlags(): void {
  for (const flag of youngFlags) setFlagsFromString(flag)
  setGrowth(usualGrowth)
}

/** V8 asks for it at the end of every full collection of any thread. */
function setGrowth(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`)
}

/** Lets heaps grow as long as the process is small, and hardly when it is not. */
export class HeapGrowth {
  readonly #set: (percent: number) => void
  #scarce = false

  constructor(set: (percent: number) => void = setGrowth) {
    this.#set = set
  }

  /** To be told every second or so how much memory of the process is resident, bytes. */
  observe(residentBytes: number): void {
    const mib = residentBytes / 2 ** 20
    const scarce = this.#scarce ? mib >= plentyBelowMib : mib > scarceAboveMib
    if (scarce === this.#scarce) return
    this.#scarce = scarce
    this.#set(scarce ? scarceGrowth : usualGrowth)
  }
}
