/** A query worker whose tools are things that a pool has to cope with. */
import { parentPort, workerData } from 'node:worker_threads'
import type { WorkerStart } from '../../src/query/call-messages.ts'
import { serveCalls } from '../../src/query/worker-shell.ts'

const start = workerData as WorkerStart<{ readonly counter: SharedArrayBuffer }>
const counter = new Int32Array(start.settings.counter)

if (parentPort !== null) {
  serveCalls(parentPort, start.cancelFlag, server => {
    const shrunk: number[] = []
    server.onShrink(share => shrunk.push(share))
    return async (call, deadline) => {
      Atomics.add(counter, 0, 1)
      const args = call.args as { readonly ms?: number } | undefined
      const until = Date.now() + (args?.ms ?? 0)
      const json = JSON.stringify({ answer: call.tool, calls: Atomics.load(counter, 0) })
      switch (call.tool) {
        // Works in short steps, as tools do.
        case 'get_service_map':
        case 'search_logs':
          while (Date.now() < until) deadline.check()
          return { json, failed: false }
        // Hangs in native code or a long loop: never looks at the deadline.
        case 'hang':
          while (Date.now() < until) counter[1] = Date.now() & 0xff
          return { json, failed: false }
        // Waits for something that comes from outside of its thread.
        case 'wait':
          await new Promise((resolve, reject) => {
            const timer = setTimeout(resolve, args?.ms ?? 0)
            deadline.signal.addEventListener('abort', () => {
              clearTimeout(timer)
              reject(new Error('aborted'))
            })
          })
          return { json, failed: false }
        // How many others of its kind ran when it began.
        case 'overlap': {
          const others = Atomics.add(counter, 1, 1)
          await new Promise(resolve => setTimeout(resolve, args?.ms ?? 0))
          Atomics.sub(counter, 1, 1)
          return { json: JSON.stringify({ others }), failed: false }
        }
        // What the caches were told to keep, before the call and while it waits.
        case 'shrunk': {
          const before = [...shrunk]
          await new Promise(resolve => setTimeout(resolve, args?.ms ?? 0))
          return { json: JSON.stringify({ before, during: shrunk.slice(before.length) }), failed: false }
        }
        case 'counters':
          return { json: JSON.stringify(await server.ingestState()), failed: false }
        case 'get_service_health':
          return { json: '{"answer":"no"}', failed: true }
        case 'fault':
          server.reportFault(call.tool, new Error('disk gone'))
          return { json, failed: true }
        case 'throw':
          throw new Error('a bug')
        default:
          process.exit(7)
      }
    }
  })
}
