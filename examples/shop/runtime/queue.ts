/** Client of the shop's broker: producer spans that travel with the message, consumer spans that link to them. */
import {
  context,
  type Link,
  type Meter,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import type { Control } from './control.ts'
import { createLineClient } from './lines.ts'

export interface Message {
  readonly id: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

interface ReceivedBatch {
  readonly messages: readonly Message[]
  /** Messages that still wait. */
  readonly depth: number
}

const host = 'order-queue'
const system = 'shopmq'
const requestTimeoutMs = 3_000
/** The broker holds a request this long when the queue is empty. */
const pollMs = 1_000
/** What a receiver no longer waits for is gone from the queue, so it gives up long after a machine that stalls. */
const receiveTimeoutMs = 30_000

/** Sends one message; resolves when the broker has it. */
export function openProducer(control: Control): (queue: string, id: string, body: unknown) => Promise<void> {
  const client = createLineClient(() => control.addressesOf(host)[0]?.port)
  control.onStop(async () => client.close())
  const tracer = trace.getTracer('shop.queue')
  return async (queue, id, body) => {
    // Caught further up, where orders count more than what becomes of them.
    if (control.meets(`unsent ${queue}`)) return
    await tracer.startActiveSpan(
      `send ${queue}`,
      {
        kind: SpanKind.PRODUCER,
        attributes: {
          'messaging.system': system,
          'messaging.destination.name': queue,
          'messaging.operation.name': 'send',
          'messaging.operation.type': 'send',
          'messaging.message.id': id,
          'server.address': host,
        },
      },
      async span => {
        const headers: Record<string, string> = {}
        propagation.inject(context.active(), headers)
        try {
          await client.request({ operation: 'send', queue, message: { id, headers, body } }, requestTimeoutMs)
        } catch (error) {
          span.recordException(error instanceof Error ? error : String(error))
          span.setStatus({ code: SpanStatusCode.ERROR })
          throw error
        } finally {
          span.end()
        }
      },
    )
  }
}

export interface ConsumerOptions {
  readonly queue: string
  readonly group: string
  readonly maxBatch: number
  readonly process: (messages: readonly Message[]) => Promise<void>
}

/** Takes batches for as long as the process runs. A batch that fails is not offered again. */
export function runConsumer(control: Control, meter: Meter, options: ConsumerOptions): void {
  const client = createLineClient(() => control.addressesOf(host)[0]?.port)
  let depth = 0
  let running = true
  control.onStop(async () => {
    running = false
    client.close()
  })
  meter
    .createObservableGauge('messaging.queue.depth', { unit: '{message}' })
    .addCallback(result => result.observe(depth, { 'messaging.destination.name': options.queue }))
  const consumed = meter.createCounter('messaging.client.consumed.messages', { unit: '{message}' })

  const take = async (): Promise<void> => {
    const request = { operation: 'receive', queue: options.queue, max: options.maxBatch, waitMs: pollMs }
    const batch = (await client.request(request, receiveTimeoutMs)) as ReceivedBatch // our own broker's reply
    depth = batch.depth
    if (batch.messages.length === 0) return
    consumed.add(batch.messages.length, {
      'messaging.system': system,
      'messaging.destination.name': options.queue,
      'messaging.operation.name': 'process',
    })
    // A filter too many: the batch is taken, and what the filter hides is never worked on.
    const overlooked = control.meets(`overlook ${options.queue}`) ? batch.messages.length : 0
    await processBatch(options, batch.messages, batch.messages.slice(overlooked))
  }
  const loop = async (): Promise<void> => {
    while (running) {
      await take().catch(() => new Promise(resolve => setTimeout(resolve, 500)))
    }
  }
  void loop()
}

async function processBatch(
  options: ConsumerOptions,
  messages: readonly Message[],
  seen: readonly Message[],
): Promise<void> {
  const links = messages.flatMap((message): Link[] => {
    const producer = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, message.headers))
    return producer === undefined
      ? []
      : [{ context: producer, attributes: { 'messaging.message.id': message.id } }]
  })
  await trace.getTracer('shop.queue').startActiveSpan(
    `process ${options.queue}`,
    {
      root: true,
      kind: SpanKind.CONSUMER,
      links,
      attributes: {
        'messaging.system': system,
        'messaging.destination.name': options.queue,
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.consumer.group.name': options.group,
        'messaging.batch.message_count': messages.length,
        'server.address': host,
      },
    },
    async span => {
      try {
        await options.process(seen)
      } catch (error) {
        span.recordException(error instanceof Error ? error : String(error))
        span.setStatus({ code: SpanStatusCode.ERROR })
      } finally {
        span.end()
      }
    },
  )
}
