/** Counts a block of spans into cells of services, operations, edges and instances. */
import { type Batch, peerKinds, type ResourceEntry, recordOf, type SpanBlock } from '../../model/telemetry.ts'
import { toMs } from '../../model/time.ts'
import type { CellTable } from '../rollups/cell-table.ts'
import { bucketOfNs } from '../rollups/sketch.ts'
import { rollupWindowMs } from '../rollups/window.ts'
import type { SeriesRegistry } from '../series-registry.ts'
import { type JoinCounts, SpanJoin } from './span-join.ts'
import { eachSpanLink } from './span-links.ts'
import { connection, type EdgeCall, type JoinSink, type SpanRow, spanKind } from './span-row.ts'

const statusError = 2
/** Where a span says nothing about its status, this HTTP status and above count as failed. */
const firstFailedHttpStatus = 500

/** `connection` by `peerKinds`. */
const peerConnections: readonly number[] = [
  connection.external,
  connection.external,
  connection.messaging,
  connection.database,
  connection.external,
]

/** Numbers of a resource: of its service, and of its instance's series. */
interface Resolved {
  readonly service: number
  readonly instance: number
}

export class SpanCounter implements JoinSink {
  readonly #registry: SeriesRegistry
  readonly #cells: CellTable
  readonly #join: SpanJoin
  /** By the very entries that decoders give to all batches; equal ones that are other objects are simply not found. */
  readonly #resolved = new WeakMap<ResourceEntry, Resolved>()
  readonly #row: SpanRow = {
    traceHi: 0,
    traceLo: 0,
    idHi: 0,
    idLo: 0,
    parentHi: 0,
    parentLo: 0,
    startHi: 0,
    startLo: 0,
    durationNs: 0,
    window: 0,
    kind: 0,
    failed: false,
    service: 0,
    operation: 0,
    peer: 0,
    peerConnection: 0,
  }

  constructor(registry: SeriesRegistry, cells: CellTable) {
    this.#registry = registry
    this.#cells = cells
    this.#join = new SpanJoin(registry.limits.joinSpans, this)
  }

  get counts(): JoinCounts {
    return this.#join.counts
  }

  /** Counts every row, spans that were seen before excepted. */
  add(batch: Batch<SpanBlock>): void {
    const { block } = batch
    const registry = this.#registry
    const services = new Int32Array(block.resources.length).fill(-1)
    const instances = new Int32Array(block.resources.length)
    const names = new Int32Array(block.strings.length).fill(-1)
    const nameOf = (text: number): number => {
      const known = names[text] ?? -1
      if (known >= 0) return known
      const number = registry.name(block.strings[text] ?? '')
      names[text] = number
      return number
    }
    const trace = viewOf(block.traceId)
    const spanIds = viewOf(block.spanId)
    const parents = viewOf(block.parentSpanId)
    const row = this.#row
    this.#join.approach(spanIds, parents, block.count)
    for (let i = 0; i < block.count; i++) {
      const resource = block.resource[i] ?? 0
      if (services[resource] === -1) this.#resolve(block, resource, services, instances)
      const kind = block.kind[i] ?? 0
      const status = block.status[i] ?? 0
      const startHi = block.startHi[i] ?? 0
      const startLo = block.startLo[i] ?? 0
      // The lower half of a trace id is the random one in every generator that has only 64 bits.
      row.traceHi = trace.getUint32(i * 16 + 8)
      row.traceLo = trace.getUint32(i * 16 + 12)
      row.idHi = spanIds.getUint32(i * 8)
      row.idLo = spanIds.getUint32(i * 8 + 4)
      row.parentHi = parents.getUint32(i * 8)
      row.parentLo = parents.getUint32(i * 8 + 4)
      row.startHi = startHi
      row.startLo = startLo
      const ns = ((block.endHi[i] ?? 0) - startHi) * 4294967296 + ((block.endLo[i] ?? 0) - startLo)
      row.durationNs = ns > 0 ? ns : 0
      row.window = Math.floor(toMs(startHi, startLo) / rollupWindowMs)
      row.kind = kind
      row.failed =
        status === statusError || (status === 0 && (block.httpStatus[i] ?? 0) >= firstFailedHttpStatus)
      row.service = services[resource] ?? 0
      row.operation = registry.operation(row.service, nameOf(block.name[i] ?? 0), kind)
      row.peer = nameOf(block.peer[i] ?? 0)
      row.peerConnection = peerConnections[block.peerKind[i] ?? peerKinds.none] ?? connection.external
      if (this.#join.add(row) < 0) continue
      this.#count(row, instances[resource] ?? 0)
      if (kind === spanKind.consumer && (block.links[i] ?? 0) > 0) this.#follow(recordOf(batch.records, i))
    }
  }

  /** Brings self times and peer calls up to date; to be called before cells are cut. */
  settle(): void {
    this.#join.settle()
  }

  selfTime(service: number, operation: number, window: number, deltaNs: number, own: boolean): void {
    const cells = this.#cells
    cells.addSelf(cells.cell(operation, window), deltaNs)
    if (own) cells.addSelf(cells.cell(this.#registry.serviceSeries(service), window), deltaNs)
  }

  edge(call: EdgeCall): void {
    const cells = this.#cells
    const series = this.#registry.edge(call.caller, call.callee, call.connection, call.toPeer)
    const cell = cells.cell(series, call.window)
    cells.add(cell, call.sign, call.failed ? call.sign : 0, call.sign * call.durationNs)
    if (call.paired) {
      cells.addPaired(cell, call.sign)
      cells.addSelf(cell, call.sign * call.gapNs)
    }
    cells.buckets.add(cell, bucketOfNs(call.durationNs), call.sign)
  }

  #resolve(block: SpanBlock, resource: number, services: Int32Array, instances: Int32Array): void {
    const entry = block.resources[resource]
    const known = entry === undefined ? undefined : this.#resolved.get(entry)
    const { service, instance } = known ?? this.#register(entry)
    services[resource] = service
    instances[resource] = instance
  }

  #register(entry: ResourceEntry | undefined): Resolved {
    const registry = this.#registry
    const folded = registry.folded.services + registry.folded.instances
    const service = registry.service(entry?.service ?? '')
    const instance = registry.instance(
      service,
      entry?.instance ?? '',
      entry?.version ?? '',
      entry?.process ?? '',
    )
    const resolved = { service, instance }
    // What does not fit is to be counted each time.
    if (entry !== undefined && registry.folded.services + registry.folded.instances === folded)
      this.#resolved.set(entry, resolved)
    return resolved
  }

  #count(row: SpanRow, instance: number): void {
    const cells = this.#cells
    const bucket = bucketOfNs(row.durationNs)
    const errors = row.failed ? 1 : 0
    const operation = cells.cell(row.operation, row.window)
    cells.add(operation, 1, errors, row.durationNs)
    cells.buckets.add(operation, bucket, 1)
    const root = (row.parentHi | row.parentLo) === 0
    if (!root && row.kind !== spanKind.server && row.kind !== spanKind.consumer) return
    const service = cells.cell(this.#registry.serviceSeries(row.service), row.window)
    cells.add(service, 1, errors, row.durationNs)
    cells.buckets.add(service, bucket, 1)
    const process = cells.cell(instance, row.window)
    cells.add(process, 1, errors, row.durationNs)
    cells.buckets.add(process, bucket, 1)
  }

  #follow(span: Uint8Array): void {
    const ids = viewOf(span)
    eachSpanLink(span, (traceAt, spanAt) => {
      this.#join.link(
        this.#row,
        ids.getUint32(traceAt + 8),
        ids.getUint32(traceAt + 12),
        ids.getUint32(spanAt),
        ids.getUint32(spanAt + 4),
      )
    })
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
