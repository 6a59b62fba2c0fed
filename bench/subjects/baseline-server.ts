/**
 * The two baselines, as a process of their own: `node baseline-server.ts naive|rows FILE`. Prints its port.
 *
 * naive: node:http, protobufjs to plain objects, one durable transaction a request, a row a span, three indexes.
 * rows:  node:http, our columnar decoder, group commit, the same rows and indexes.
 * Both run SQLite in WAL mode with synchronous=FULL and answer after the commit.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import Database from 'better-sqlite3'
import { recordOf } from '../../src/model/telemetry.ts'
import { toNs } from '../../src/model/time.ts'
import { attributesOfSpan } from '../../src/otlp/attributes.ts'
import { decodeTraces } from '../../src/otlp/traces/decode-traces.ts'
import { protobufType } from './protobuf-root.ts'

type Row = readonly [Buffer, Buffer, Buffer | null, string, string, number, bigint, bigint, number, string]

const [mode = 'naive', file = ':memory:'] = process.argv.slice(2)
const database = new Database(file)
database.pragma('journal_mode = WAL')
database.pragma('synchronous = FULL')
database.exec(`
  CREATE TABLE spans (
    id INTEGER PRIMARY KEY, trace_id BLOB, span_id BLOB, parent_span_id BLOB, service TEXT, name TEXT,
    kind INTEGER, start_ns INTEGER, end_ns INTEGER, status INTEGER, attributes TEXT
  );
  CREATE INDEX spans_by_trace ON spans (trace_id);
  CREATE INDEX spans_by_service ON spans (service, start_ns);
  CREATE INDEX spans_by_start ON spans (start_ns);
`)
const insert = database.prepare(
  'INSERT INTO spans (trace_id, span_id, parent_span_id, service, name, kind, start_ns, end_ns, status, attributes) VALUES (?,?,?,?,?,?,?,?,?,?)',
)
const insertAll = database.transaction((rows: readonly Row[]) => {
  for (const row of rows) insert.run(...row)
})

interface PlainSpan {
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
  readonly parentSpanId: Uint8Array
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: { toString(): string }
  readonly endTimeUnixNano: { toString(): string }
  readonly attributes: readonly { readonly key: string; readonly value: object }[]
  readonly status?: { readonly code: number }
}

interface PlainRequest {
  readonly resourceSpans: readonly {
    readonly resource?: {
      readonly attributes: readonly {
        readonly key: string
        readonly value: { readonly stringValue?: string }
      }[]
    }
    readonly scopeSpans: readonly { readonly spans: readonly PlainSpan[] }[]
  }[]
}

const requestType = protobufType('opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest')

function naiveRows(body: Buffer): readonly Row[] {
  const request = requestType.decode(body) as unknown as PlainRequest // shaped by the type it was decoded with
  return request.resourceSpans.flatMap(group => {
    const name = group.resource?.attributes.find(attribute => attribute.key === 'service.name')
    const service = name?.value.stringValue ?? ''
    return group.scopeSpans.flatMap(scope =>
      scope.spans.map(
        (span): Row => [
          Buffer.from(span.traceId),
          Buffer.from(span.spanId),
          span.parentSpanId.length === 0 ? null : Buffer.from(span.parentSpanId),
          service,
          span.name,
          span.kind,
          BigInt(span.startTimeUnixNano.toString()),
          BigInt(span.endTimeUnixNano.toString()),
          span.status?.code ?? 0,
          JSON.stringify(Object.fromEntries(span.attributes.map(a => [a.key, Object.values(a.value)[0]]))),
        ],
      ),
    )
  })
}

const writeBigInt = (_: string, value: unknown): unknown =>
  typeof value === 'bigint' ? Number(value) : value

function columnRows(body: Buffer): readonly Row[] {
  const { block, records } = decodeTraces(body, { receivedMs: Date.now(), attributeMaxBytes: 65_536 })
  return Array.from({ length: block.count }, (_, row): Row => {
    const parent = block.parentSpanId.slice(row * 8, row * 8 + 8)
    const attributes: Record<string, unknown> = {}
    for (const { key, value } of attributesOfSpan(recordOf(records, row))) attributes[key] = value
    return [
      Buffer.from(block.traceId.slice(row * 16, row * 16 + 16)),
      Buffer.from(block.spanId.slice(row * 8, row * 8 + 8)),
      parent.every(byte => byte === 0) ? null : Buffer.from(parent),
      block.resources[block.resource[row] ?? 0]?.service ?? '',
      block.strings[block.name[row] ?? 0] ?? '',
      block.kind[row] ?? 0,
      toNs(block.startHi[row] ?? 0, block.startLo[row] ?? 0),
      toNs(block.endHi[row] ?? 0, block.endLo[row] ?? 0),
      block.status[row] ?? 0,
      JSON.stringify(attributes, writeBigInt),
    ]
  })
}

let waiting: { readonly rows: readonly Row[]; readonly response: ServerResponse }[] = []

function commitGroup(): void {
  const group = waiting
  waiting = []
  insertAll(group.flatMap(entry => entry.rows))
  for (const entry of group) entry.response.end()
}

function store(body: Buffer, response: ServerResponse): void {
  response.setHeader('content-type', 'application/x-protobuf')
  if (mode === 'naive') {
    insertAll(naiveRows(body))
    response.end()
    return
  }
  waiting.push({ rows: columnRows(body), response })
  // Whatever else this turn of the event loop brings joins the same commit.
  if (waiting.length === 1) setImmediate(commitGroup)
}

function handle(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => store(Buffer.concat(chunks), response))
}

const server = createServer(handle)
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(JSON.stringify({ port: typeof address === 'object' ? address?.port : 0 }))
})
process.on('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
  database.pragma('wal_checkpoint(TRUNCATE)')
  database.close()
})
