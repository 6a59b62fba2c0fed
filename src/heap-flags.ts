/** How V8 is to manage the heaps of this process, all threads. Names are V8's own (`node --v8-options`). */
import { setFlagsFromString } from 'node:v8'

const flags = [
  // Left alone, the old generation of a thread grows by a tenth between two full collections, so small as ours are. What
  // lies outside of the heap counts too: at full ingest a thread of 15 MB was collected in full four times a second. With 200
  // a span costs a thirtieth less, and ten times the load makes 610 MiB resident, 490 with 100.
  '--heap-growing-percent=100',
  // Young generations stay as they begin, instead of growing to 16 MiB a half: 618 MiB resident at full ingest, 500 with
  // these two, at the same processor time. The main thread began before and stays at half a megabyte to one.
  '--semi-space-growth-factor=1',
  '--min-semi-space-size=2',
]

/** To be called before other threads start, whose heaps follow it. */
export function setHeapFlags(): void {
  for (const flag of flags) setFlagsFromString(flag)
}
