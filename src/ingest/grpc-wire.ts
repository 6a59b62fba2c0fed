/**
 * The two members of grpc-js's own call object that its interface does not offer, and why they are needed:
 *
 * - `incomingEncoding`: grpc-js inflates messages by itself, each up to the receive limit, however many at
 *   once; a hundred small bombs would cost gigabytes. Told that the message is not compressed, it hands over
 *   the bytes as they are, and the inbox worker inflates them within the budget of the whole process.
 * - `stream`: the HTTP/2 stream, to count the bytes that have arrived of a message that is not complete.
 *
 * Should a later release rename them, `wireOf` returns null and grpc-js does both on its own terms again.
 */
import { constants } from 'node:http2'

export interface GrpcWire {
  /** The `grpc-encoding` of the call, `identity` if none was sent. */
  readonly encoding: string
  /** From now on messages are handed over as received. */
  passBytes(): void
  onData(listener: (chunk: Uint8Array) => void): void
  /** Tells the client to stop sending, after what was written has gone out. */
  closeStream(): void
}

interface WireStream {
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown
  close(code: number): void
}

function isWireStream(value: unknown): value is WireStream {
  return (
    typeof value === 'object' &&
    value !== null &&
    'on' in value &&
    typeof value.on === 'function' &&
    'close' in value &&
    typeof value.close === 'function'
  )
}

export function wireOf(call: object): GrpcWire | null {
  if (!('incomingEncoding' in call) || typeof call.incomingEncoding !== 'string') return null
  if (!('stream' in call) || !isWireStream(call.stream)) return null
  const { stream, incomingEncoding } = call
  return {
    encoding: incomingEncoding,
    passBytes: () => {
      call.incomingEncoding = 'identity'
    },
    onData: listener => stream.on('data', listener),
    closeStream: () => stream.close(constants.NGHTTP2_NO_ERROR),
  }
}

const frameHeaderBytes = 5

/**
 * Watches the chunks of a gRPC stream for the length its first message announces.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md: Length-Prefixed-Message is one flag byte
 * and four bytes of length, big-endian.
 */
export class AnnouncedLength {
  readonly #header = new Uint8Array(frameHeaderBytes)
  #seen = 0

  /** Bytes of the first message once they are known, else null. */
  add(chunk: Uint8Array): number | null {
    if (this.#seen < frameHeaderBytes) {
      const part = chunk.subarray(0, frameHeaderBytes - this.#seen)
      this.#header.set(part, this.#seen)
      this.#seen += part.length
    }
    return this.#seen < frameHeaderBytes ? null : new DataView(this.#header.buffer).getUint32(1)
  }
}
