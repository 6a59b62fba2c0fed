/** Entry of the thread that transcodes long JSON requests; see `json-thread.ts`. */
import { parentPort } from 'node:worker_threads'
import { InvalidInputError } from '../../errors.ts'
import { transcodeJson } from '../../otlp/json/transcode-json.ts'
import type { TranscodeReply, TranscodeRequest } from './json-thread.ts'

if (parentPort === null) throw new Error('the transcoding thread is started by the inbox')
const port = parentPort

port.on('message', ({ signal, bytes }: TranscodeRequest) => {
  try {
    const protobuf = transcodeJson(signal, bytes)
    port.postMessage({ protobuf } satisfies TranscodeReply, [protobuf.buffer as ArrayBuffer]) // made by `copy`, which shares nothing
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error
    port.postMessage({ refusal: error.message } satisfies TranscodeReply)
  }
})
