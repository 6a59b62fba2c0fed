/** How long the disk takes to make a small write durable, measured while something else is measured. */
import { fdatasync, mkdtempSync, open, rmSync, write } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { quantile } from './quantile.ts'

const [openFile, writeFile, sync] = [promisify(open), promisify(write), promisify(fdatasync)]

export interface SyncProbe {
  /** Milliseconds at a quantile of the syncs so far; resolves after the probe has ended. */
  finish(q: number): Promise<number>
}

/** A page appended and synced every 20 ms in the directory for temporary files, where subjects have theirs. */
export function startSyncProbe(): SyncProbe {
  const directory = mkdtempSync(join(tmpdir(), 'otelcontext-sync-'))
  const page = Buffer.alloc(4_096, 1)
  const taken: number[] = []
  let going = true
  const loop = (async (): Promise<void> => {
    const file = await openFile(join(directory, 'probe'), 'w')
    while (going) {
      await writeFile(file, page)
      const started = performance.now()
      await sync(file)
      taken.push(performance.now() - started)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  })()
  return {
    async finish(q) {
      going = false
      await loop
      rmSync(directory, { recursive: true })
      return quantile(taken, q)
    },
  }
}
