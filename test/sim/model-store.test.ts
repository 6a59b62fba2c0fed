import { describeStore } from '../store/conformance.ts'
import { ModelStoreDisk } from './model-store.ts'

describeStore('the simulation', async () => {
  const disk = new ModelStoreDisk()
  return {
    writer: disk.writer(),
    openReader: () => disk.reader(),
    reopen: async () => disk.writer(),
    damagePart: async (segmentId, part) => {
      const bytes = disk.state.segments.get(segmentId)?.parts.get(part)
      if (bytes === undefined) throw new Error(`there is no part ${part}`)
      bytes[1] = (bytes[1] ?? 0) ^ 1
    },
    close: async () => undefined,
  }
})
