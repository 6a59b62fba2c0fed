/**
 * Preloaded into a server (`--import`): measures how long its main thread's event loop is held up. Four times a second
 * the file that EVENT_LOOP_FILE names says so, since it was last missing, as milliseconds.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

const file = process.env['EVENT_LOOP_FILE']
const resolutionMs = 2

if (isMainThread && file !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  setInterval(() => {
    if (!existsSync(file)) delay.reset()
    const [p50Ms, p99Ms, maxMs] = [50, 99, 100].map(share => delay.percentile(share) / 1e6 - resolutionMs)
    writeFileSync(file, JSON.stringify({ p50Ms, p99Ms, maxMs, samples: delay.count }))
  }, 250).unref()
}
