/** Clients of the two stores: one client span per statement or command, as the database conventions say. */
import {
  type Attributes,
  type Histogram,
  type Meter,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import type { Control } from './control.ts'
import { settingNumber } from './fields.ts'
import { createLineClient, type LineClient } from './lines.ts'

export interface Statement {
  readonly operation: 'SELECT' | 'UPDATE' | 'INSERT'
  readonly table: string
  /** With `$1` for the parameters, so that it tells no values. */
  readonly text: string
  readonly parameters: readonly unknown[]
}

export interface Database {
  /** Resolves to the rows. Rejects when the database cannot be reached, or takes longer than two seconds. */
  run(statement: Statement): Promise<readonly unknown[]>
}

export interface KeyValueStore {
  get(key: string): Promise<unknown>
  set(key: string, value: unknown): Promise<void>
  delete(key: string): Promise<void>
}

const timeoutMs = 2_000

/** The shop's SQL database, `stock-db`. */
export function openDatabase(control: Control, meter: Meter): Database {
  const observed = oneByOne(control, 'stock-db', observeRequests(control, meter, 'stock-db'))
  return {
    run: async statement => {
      const reply = await observed(`${statement.operation} ${statement.table}`, statement, {
        'db.system.name': 'other_sql',
        'db.namespace': 'stock',
        'db.operation.name': statement.operation,
        'db.collection.name': statement.table,
        'db.query.text': statement.text,
      })
      return Array.isArray(reply) ? reply : []
    },
  }
}

/** The shop's key-value store, `cart-store`. */
export function openKeyValueStore(control: Control, meter: Meter): KeyValueStore {
  const observed = oneByOne(control, 'cart-store', observeRequests(control, meter, 'cart-store'))
  const command = (operation: 'GET' | 'SET' | 'DEL', key: string, value?: unknown): Promise<unknown> =>
    observed(
      operation,
      { operation, key, value },
      {
        'db.system.name': 'keyvalue',
        'db.operation.name': operation,
      },
    )
  return {
    get: key => command('GET', key),
    set: async (key, value) => void (await command('SET', key, value)),
    delete: async key => void (await command('DEL', key)),
  }
}

type ObservedRequest = (name: string, payload: unknown, attributes: Attributes) => Promise<unknown>

function observeRequests(control: Control, meter: Meter, host: string): ObservedRequest {
  const portOf = (): number | undefined => control.addressesOf(host)[0]?.port
  const client = createLineClient(portOf)
  control.onStop(async () => client.close())
  const tracer = trace.getTracer('shop.stores')
  const duration = meter.createHistogram('db.client.operation.duration', {
    unit: 's',
    description: 'Duration of database client operations.',
    advice: { explicitBucketBoundaries: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5] },
  })
  return (name, payload, attributes) => {
    const port = portOf()
    const all = {
      ...attributes,
      'server.address': host,
      ...(port === undefined ? {} : { 'server.port': port }),
    }
    return tracer.startActiveSpan(name, { kind: SpanKind.CLIENT, attributes: all }, async span => {
      const startedMs = performance.now()
      try {
        const reply = await requestOf(client, payload)
        recordDuration(duration, startedMs, all)
        return reply
      } catch (error) {
        const failure = error instanceof Error ? error : new Error(String(error))
        const type = 'code' in failure ? String(failure.code) : failure.name
        span.setAttribute('error.type', type)
        span.recordException(failure)
        span.setStatus({ code: SpanStatusCode.ERROR, message: failure.message })
        recordDuration(duration, startedMs, { ...all, 'error.type': type })
        throw failure
      } finally {
        span.end()
      }
    })
  }
}

function requestOf(client: LineClient, payload: unknown): Promise<unknown> {
  return client.request(payload, timeoutMs)
}

/** Reads that a process makes one by one, as code does that asks for each row of a list by itself. */
function oneByOne(control: Control, host: string, observed: ObservedRequest): ObservedRequest {
  return async (name, payload, attributes) => {
    const reply = await observed(name, payload, attributes)
    const times = /^(SELECT|GET)/.test(name)
      ? settingNumber(control.settingsOf(`repeat ${host}`), 'times')
      : 0
    for (let more = 0; more < times; more++) await observed(name, payload, attributes)
    return reply
  }
}

/** The statement's text stays out of the metric: it would be one series per statement. */
function recordDuration(duration: Histogram, startedMs: number, attributes: Attributes): void {
  const { 'db.query.text': _text, ...labels } = attributes
  duration.record((performance.now() - startedMs) / 1000, labels)
}
