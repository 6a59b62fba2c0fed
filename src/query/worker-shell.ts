/** The part of a query worker that knows nothing of stores: takes calls, runs them, answers. */
import type { MessagePort } from 'node:worker_threads'
import type { Deadline } from '../model/reader.ts'
import { systemClock } from '../model/time.ts'
import type { ToolAnswer, ToolCall } from '../model/tool.ts'
import { type CallDeadline, CallStopped, createCallDeadline } from './call-deadline.ts'
import type { FromWorker, IngestState, ToWorker } from './call-messages.ts'

export type RunCall = (call: ToolCall, deadline: Deadline) => Promise<ToolAnswer>

async function answerOf(
  id: number,
  call: ToolCall,
  deadline: CallDeadline,
  run: RunCall,
): Promise<FromWorker> {
  try {
    const { json, failed } = await run(call, deadline)
    return { type: 'answer', id, json, failed }
  } catch (error) {
    if (error instanceof CallStopped || deadline.signal.aborted) return { type: 'stopped', id }
    return {
      type: 'crashed',
      id,
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }
  }
}

export interface CallServer {
  /** Asks the main thread for counters and receivers. */
  ingestState(): Promise<IngestState>
  /** What to do when memory is scarce, between two calls; `share` as in the message. */
  onShrink(shrink: (share: number) => void): void
  /** Has the process log say why the store could not be read. */
  reportFault(tool: string, error: unknown): void
  /** Has the process log say what was left out of answers because it is damaged. */
  reportDamage(what: string): void
}

/** Serves calls that arrive on `port` until it is closed. */
export function serveCalls(
  port: MessagePort,
  cancelFlag: SharedArrayBuffer,
  makeRun: (server: CallServer) => RunCall,
): void {
  const flag = new Int32Array(cancelFlag)
  const running = new Map<number, CallDeadline>()
  const asked = new Map<number, (state: IngestState) => void>()
  let nextAsk = 1
  let shrink: (share: number) => void = () => undefined
  /** Asked for while a call ran. */
  let owed: number | null = null
  const shrinkSoon = (share: number): void => {
    owed = Math.min(owed ?? share, share)
    if (running.size > 0) return
    shrink(owed)
    owed = null
  }
  const post = (message: FromWorker): void => port.postMessage(message)
  const run = makeRun({
    ingestState: () =>
      new Promise(resolve => {
        const ask = nextAsk++
        asked.set(ask, resolve)
        post({ type: 'ask_counters', ask })
      }),
    onShrink: handler => {
      shrink = handler
    },
    reportDamage: what => post({ type: 'damage', what }),
    reportFault: (tool, error) =>
      post({ type: 'store_fault', tool, message: error instanceof Error ? error.message : String(error) }),
  })
  const start = (id: number, call: ToolCall, deadlineMs: number): void => {
    const deadline = createCallDeadline(id, deadlineMs, flag, systemClock)
    running.set(id, deadline)
    void answerOf(id, call, deadline, run).then(answer => {
      running.delete(id)
      post(answer)
      if (owed !== null) shrinkSoon(owed)
    })
  }
  port.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'call':
        start(message.id, message.call, message.deadlineMs)
        break
      case 'cancel':
        running.get(message.id)?.stop()
        break
      case 'shrink':
        shrinkSoon(message.share)
        break
      case 'counters':
        asked.get(message.ask)?.(message.state)
        asked.delete(message.ask)
        break
      default:
        message satisfies never
    }
  })
  post({ type: 'ready' })
}
