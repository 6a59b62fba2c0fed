import { MessageChannel, Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { hearLastWords } from '../../src/engine/last-words.ts'

test('what a worker said before it ended is heard, however late the listener comes to it', async () => {
  const { port1, port2 } = new MessageChannel()
  const code =
    "const { workerData } = require('node:worker_threads'); workerData.postMessage('a'); workerData.postMessage('b')"
  const worker = new Worker(code, { eval: true, workerData: port2, transferList: [port2] })
  // Nothing listens until it is gone, as if this thread had been busy all the time.
  await new Promise(resolve => worker.once('exit', resolve))
  const heard: unknown[] = []
  port1.on('message', message => heard.push(message))
  hearLastWords(port1)
  expect(heard).toEqual(['a', 'b'])
})
