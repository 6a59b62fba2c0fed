/** The part of a query worker that knows nothing of stores: takes calls, runs them, answers. */
import type { MessagePort } from 'node:worker_threads'
import type { Deadline } from '../model/reader.ts'
import { systemClock } from '../model/time.ts'
import type { ToolAnswer, ToolCall } from '../model/tool.ts'
import { type CallDeadline, CallStopped, createCallDeadline } from './call-deadline.ts'
import type { FromWorker, ToWorker } from './call-messages.ts'

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

/** Serves calls that arrive on `port` until it is closed. */
export function serveCalls(port: MessagePort, cancelFlag: SharedArrayBuffer, run: RunCall): void {
  const flag = new Int32Array(cancelFlag)
  const running = new Map<number, CallDeadline>()
  const post = (message: FromWorker): void => port.postMessage(message)
  port.on('message', (message: ToWorker) => {
    if (message.type === 'cancel') {
      running.get(message.id)?.stop()
      return
    }
    const deadline = createCallDeadline(message.id, message.deadlineMs, flag, systemClock)
    running.set(message.id, deadline)
    void answerOf(message.id, message.call, deadline, run).then(answer => {
      running.delete(message.id)
      post(answer)
    })
  })
  post({ type: 'ready' })
}
