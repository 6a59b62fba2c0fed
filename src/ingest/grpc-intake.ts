/**
 * What happens to an Export call before its message is complete: who sends it, how it is compressed, how much
 * may arrive and for how long. Runs as a grpc-js interceptor, so that a call that is refused is never read.
 */
import {
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type StatusObject,
} from '@grpc/grpc-js'
import type { Authenticator } from '../model/auth.ts'
import type { EdgeRefusal, IngestObserver } from '../model/ingest-observer.ts'
import { peerAddress } from '../model/peer.ts'
import type { Signal } from '../model/telemetry.ts'
import type { Caller } from '../model/tool.ts'
import { grpcCodes } from './grpc-mapping.ts'
import { AnnouncedLength, wireOf } from './grpc-wire.ts'
import type { Lease, ReceiveBudget } from './receive-budget.ts'
import { type Refusal, receiveBudgetSpent, refusalOfAccess, senderMessage } from './refusal.ts'
import { encodeStatus } from './rpc-status.ts'

/** What the handler of a call needs to know of its beginning. */
export interface ExportContext {
  readonly caller: Caller
  readonly peer: string
  /** The client may have compressed the message; it need not have. */
  readonly gzip: boolean
  /** Lets go of the receive budget and of the time limit. */
  received(): void
}

export interface GrpcIntakeOptions {
  readonly signalByPath: ReadonlyMap<string, Signal>
  readonly authenticator: Authenticator
  readonly observer: IngestObserver
  readonly budget: ReceiveBudget
  readonly maxReceiveBytes: number
  /** How long a message may take to arrive. */
  readonly receiveTimeoutMs: number
  /** Called before a health check is answered. */
  readonly beforeHealth: () => void
}

/** Encodings of requests; also what `grpc-accept-encoding` says. */
const acceptedEncodings: readonly string[] = ['identity', 'gzip']

type OtherCall = Pick<ServerInterceptingCall, 'sendStatus'>

export class GrpcIntake {
  readonly #options: GrpcIntakeOptions
  readonly #contexts = new WeakMap<Metadata, ExportContext>()
  /** Calls of health and reflection, which may stay open for as long as the client likes. */
  readonly #otherCalls = new Set<OtherCall>()

  constructor(options: GrpcIntakeOptions) {
    this.#options = options
  }

  readonly interceptor: ServerInterceptor = (method, call) => {
    const signal = this.#options.signalByPath.get(method.path)
    return signal === undefined ? this.#watchOther(method.path, call) : this.#takeExport(signal, call)
  }

  /** The context of an accepted call, by the metadata object its handler gets. */
  contextOf(metadata: Metadata): ExportContext | undefined {
    return this.#contexts.get(metadata)
  }

  /** Ends the long calls, so that their connections can close. */
  endOtherCalls(): void {
    const status = { code: grpcCodes.draining, details: 'the server is stopping', metadata: null }
    for (const call of [...this.#otherCalls]) call.sendStatus(status)
  }

  #takeExport(signal: Signal, call: ServerInterceptingCallInterface): ServerInterceptingCall {
    const { observer } = this.#options
    const wire = wireOf(call)
    const intake = { lease: null as Lease | null, timer: undefined as NodeJS.Timeout | undefined }
    const received = (): void => {
      intake.lease?.release()
      clearTimeout(intake.timer)
    }
    const refuse = (refusal: Refusal & { readonly reason: EdgeRefusal }): void => {
      received()
      observer.refused(refusal.reason, signal, 'grpc')
      call.sendStatus(statusOf(refusal))
      setImmediate(() => wire?.closeStream())
    }
    return new ServerInterceptingCall(call, {
      start: next => {
        next({
          onReceiveMetadata: (metadata, read) => {
            const admitted = this.#admit(metadata, call, wire?.encoding ?? 'identity')
            if (!admitted.ok) {
              refuse(admitted.refusal)
              return
            }
            wire?.passBytes()
            const lease = this.#options.budget.open(() => refuse({ ...receiveBudgetSpent, reason: 'busy' }))
            intake.lease = lease
            intake.timer = setTimeout(() => refuse(this.#tooSlow()), this.#options.receiveTimeoutMs)
            this.#watchSize(wire?.onData ?? null, lease, signal)
            this.#contexts.set(metadata, { ...admitted, received })
            read(metadata)
          },
          onCancel: received,
        })
      },
      sendMetadata: (metadata, next) => next(withAcceptedEncodings(metadata)),
    })
  }

  #admit(
    metadata: Metadata,
    call: ServerInterceptingCallInterface,
    encoding: string,
  ):
    | { readonly ok: true; readonly caller: Caller; readonly peer: string; readonly gzip: boolean }
    | { readonly ok: false; readonly refusal: Refusal & { readonly reason: EdgeRefusal } } {
    const peer = peerAddress(call.getConnectionInfo().remoteAddress)
    const access = this.#options.authenticator.authenticate({
      authorization: onlyValue(metadata, 'authorization'),
      apiKey: onlyValue(metadata, 'x-api-key'),
      tenant: onlyValue(metadata, 'x-tenant-id'),
      peer,
    })
    if (!access.granted) {
      return { ok: false, refusal: { ...refusalOfAccess(access), reason: access.refusal } }
    }
    if (!acceptedEncodings.includes(encoding)) {
      const message = `grpc-encoding ${encoding} is not supported; use gzip or none`
      return { ok: false, refusal: { reason: 'unsupported_encoding', message, retryAfterMs: null } }
    }
    return { ok: true, caller: access.caller, peer, gzip: encoding === 'gzip' }
  }

  /** grpc-js itself refuses a message that announces more than the limit; here it is only counted. */
  #watchSize(
    onData: ((listener: (chunk: Uint8Array) => void) => void) | null,
    lease: Lease,
    signal: Signal,
  ): void {
    const announced = new AnnouncedLength()
    let counted = false
    onData?.(chunk => {
      const length = announced.add(chunk)
      if (length !== null && length > this.#options.maxReceiveBytes) {
        if (!counted) this.#options.observer.refused('too_large', signal, 'grpc')
        counted = true
        lease.release()
      } else lease.add(chunk.length)
    })
  }

  #tooSlow(): Refusal & { readonly reason: 'timeout' } {
    const message = `the message took longer than ${this.#options.receiveTimeoutMs} ms to arrive`
    return { reason: 'timeout', message, retryAfterMs: null }
  }

  /** Health is open to probes; everything else needs the same key as Export. */
  #watchOther(path: string, call: ServerInterceptingCallInterface): ServerInterceptingCall {
    const open = path.startsWith('/grpc.health.v1.')
    const tracked: ServerInterceptingCall = new ServerInterceptingCall(call, {
      start: next => {
        next({
          onReceiveMetadata: (metadata, read) => {
            const admitted = open ? null : this.#admit(metadata, call, 'identity')
            if (admitted !== null && !admitted.ok) {
              call.sendStatus(statusOf(admitted.refusal))
              return
            }
            if (open) this.#options.beforeHealth()
            this.#otherCalls.add(tracked)
            read(metadata)
          },
          onCancel: () => this.#otherCalls.delete(tracked),
        })
      },
    })
    return tracked
  }
}

/** A header that comes twice is ambiguous; it counts as a value nobody can have. */
function onlyValue(metadata: Metadata, name: string): string | undefined {
  const values = metadata.get(name)
  if (values.length > 1) return ''
  const value = values[0]
  return value === undefined ? undefined : String(value)
}

function withAcceptedEncodings(metadata: Metadata): Metadata {
  metadata.set('grpc-accept-encoding', acceptedEncodings.join(','))
  return metadata
}

/** A refusal as gRPC sends it; the details make RESOURCE_EXHAUSTED and UNAVAILABLE retryable. */
export function statusOf(refusal: Refusal): StatusObject {
  const code = grpcCodes[refusal.reason]
  const details = senderMessage(refusal.message)
  const metadata = withAcceptedEncodings(new Metadata())
  if (refusal.retryAfterMs !== null) {
    const encoded = encodeStatus({ code, message: details, retryAfterMs: refusal.retryAfterMs })
    metadata.set('grpc-status-details-bin', Buffer.from(encoded))
  }
  return { code, details, metadata }
}
