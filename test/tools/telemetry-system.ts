/** The real reading side in one process: decoders, graph, a store file, the tail, readers and tools. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mergeRollups } from '../../src/graph/rollups/merge.ts'
import { TenantGraph } from '../../src/graph/tenant-graph.ts'
import type { Overflow } from '../../src/model/overflow.ts'
import type { Deadline, IngestCounter } from '../../src/model/reader.ts'
import type { Receiver } from '../../src/model/receiver.ts'
import type { RollupRecord, StoreReader, StoreWriter, TemplateRecord } from '../../src/model/store.ts'
import type { TailEntry } from '../../src/model/tail.ts'
import { type Batch, type Signal, signals } from '../../src/model/telemetry.ts'
import type { Caller, ToolAnswer, ToolRunner } from '../../src/model/tool.ts'
import { decodeBatch } from '../../src/otlp/decode-batch.ts'
import { transcodeJson } from '../../src/otlp/json/transcode-json.ts'
import { createReaderCaches } from '../../src/query/reader-caches.ts'
import { Tail } from '../../src/query/tail.ts'
import { type OpenReader, openTelemetryReader } from '../../src/query/telemetry-reader.ts'
import { buildSegments } from '../../src/store/segment/build-segments.ts'
import { openSqliteReader } from '../../src/store/sqlite/store-reader.ts'
import { openSqliteWriter } from '../../src/store/sqlite/store-writer.ts'
import { findTool } from '../../src/tools/registry.ts'
import { runTool } from '../../src/tools/run-tool.ts'

export const operator: Caller = { tenant: 'default', principal: 'loopback', operator: true }

export interface Request {
  readonly tenant?: string
  readonly signal: Signal
  readonly receivedMs: number
  /** An OTLP/JSON export request. */
  readonly json: object
}

export interface TelemetrySystem extends ToolRunner {
  /** Publishes requests as the engine does, behind what is there. */
  publish(requests: readonly Request[]): void
  /** Puts all that was published into segments and rollups of the store, as the engine does. */
  seal(): Promise<void>
  open(tenant: string): Promise<OpenReader>
  ask(tool: string, args?: unknown, caller?: Caller): Promise<Answer>
  readonly counters: IngestCounter[]
  readonly receivers: Receiver[]
  readonly overflows: Overflow[]
  nowMs: number
  readonly file: string
  readonly inboxId: string
  /** Of the newest request published. */
  readonly position: number
  close(): Promise<void>
}

/** An answer as parsed JSON; tests read what they expect. */
export interface Answer {
  readonly json: string
  readonly failed: boolean
  readonly answer: string
  readonly status?: string
  readonly facts?: Readonly<Record<string, unknown>>
  readonly tables?: Readonly<Record<string, AnswerTable>>
  readonly coverage?: Readonly<Record<string, unknown>>
  readonly omitted?: readonly { readonly table?: string; readonly rows?: number; readonly cursor?: string }[]
  readonly next?: readonly { readonly tool: string; readonly arguments: Record<string, unknown> }[]
  readonly as_of?: string
  readonly result_id?: string
  readonly window?: readonly [string, string]
  readonly error?: Readonly<Record<string, unknown>>
}

export interface AnswerTable {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly unknown[])[]
  readonly untrusted?: readonly string[]
}

/** Rows of a table as objects by column. */
export function rowsOf(answer: Answer, table: string): readonly Readonly<Record<string, unknown>>[] {
  const found = answer.tables?.[table]
  if (found === undefined) throw new Error(`no table ${table} in ${answer.json}`)
  return found.rows.map(row => Object.fromEntries(found.columns.map((column, at) => [column, row[at]])))
}

const endless: Deadline = { signal: new AbortController().signal, check: () => undefined }
const inboxId = '5eed0000aaaabbbbccccdddd00001111'

export function parseAnswer({ json, failed }: ToolAnswer): Answer {
  return { ...(JSON.parse(json) as Omit<Answer, 'json' | 'failed'>), json, failed }
}

export interface SystemStore {
  readonly writer: StoreWriter
  readonly reader: StoreReader
  /** Deletes what is stored; called when both are closed. */
  remove(): Promise<void>
}

/** `nowMs` is the clock of all calls; in a SQLite file of its own if no other store is given. */
export function startTelemetrySystem(nowMs: number, otherStore?: SystemStore): TelemetrySystem {
  const directory = mkdtempSync(join(tmpdir(), 'otelcontext-tools-'))
  const file = join(directory, 'store.db')
  const writer = otherStore?.writer ?? openSqliteWriter(file)
  const store = otherStore?.reader ?? openSqliteReader(file)
  const caches = createReaderCaches()
  const tail = new Tail(inboxId)
  const graphs = new Map<string, TenantGraph>()
  const counters: IngestCounter[] = []
  let position = 0
  const published: { readonly entry: TailEntry; readonly batch: Batch }[] = []
  const rollups: RollupRecord[] = []
  const templates: TemplateRecord[] = []

  const graphOf = (tenant: string): TenantGraph => {
    const known = graphs.get(tenant) ?? new TenantGraph({ tenant, templates: [] })
    graphs.set(tenant, known)
    return known
  }

  const system: TelemetrySystem = {
    counters,
    receivers: [],
    overflows: [],
    file,
    inboxId,
    get position() {
      return position
    },
    nowMs,
    publish(requests) {
      const from = position + 1
      const entries = requests.map(({ tenant = 'default', signal, receivedMs, json }): TailEntry => {
        const bytes = transcodeJson(signal, new TextEncoder().encode(JSON.stringify(json)))
        const batch = decodeBatch(signal, bytes, { receivedMs, attributeMaxBytes: 65_536 })
        const { templates } = graphOf(tenant).ingest(batch, receivedMs)
        const refused = Uint32Array.from(batch.refusals.map(refusal => refusal.index))
        position++
        const entry = { position, tenant, signal, receivedMs, bytes, refused, templates }
        published.push({ entry, batch })
        return entry
      })
      const cuts = [...graphs].map(([tenant, graph]) => graph.cut(`${tenant} ${from} ${position}`))
      rollups.push(...cuts.flatMap(cut => cut.rollups))
      templates.push(...cuts.flatMap(cut => cut.templates))
      tail.accept({
        type: 'publication',
        inboxId,
        from,
        to: position,
        timeMs: Math.max(...requests.map(request => request.receivedMs)),
        entries,
        rollupsFrom: from,
        rollups: cuts.flatMap(cut => cut.rollups),
        templates: cuts.flatMap(cut => cut.templates),
      })
    },
    async seal() {
      const segments = [...graphs.keys()].flatMap(tenant =>
        signals.flatMap(signal => {
          const entries = published
            .filter(({ entry }) => entry.tenant === tenant && entry.signal === signal)
            .map(({ entry, batch }) => ({ ...entry, batch }))
          return buildSegments({ tenant, signal, inboxId, entries })
        }),
      )
      await writer.commitSeal({
        position: { inboxId, position },
        segments,
        rollups: mergeRollups(rollups, 10),
        templates,
        counts: segments.map(({ header: { tenant, signal, count } }) => ({ tenant, signal, items: count })),
      })
      tail.accept({ type: 'sealed', inboxId, position })
    },
    open: tenant =>
      openTelemetryReader({
        store,
        tail,
        tenant,
        deadline: endless,
        nowMs: system.nowMs,
        caches,
        ingestCounters: async () => counters,
      }),
    async call(call) {
      const opened: OpenReader[] = []
      const tool = findTool(call.tool)
      if (tool === undefined) throw new Error(`no tool ${call.tool}`)
      try {
        return await runTool(tool, call.args, {
          caller: call.caller,
          deadline: endless,
          receivers: async () => system.receivers,
          overflows: async () => system.overflows,
          open: async tenant => {
            const reader = await system.open(tenant)
            opened.push(reader)
            return reader
          },
        })
      } finally {
        for (const reader of opened) await reader.release()
      }
    },
    async ask(tool, args = {}, caller = operator) {
      return parseAnswer(await system.call({ tool, args, caller }, endless.signal))
    },
    async close() {
      await store.close()
      await writer.close()
      await otherStore?.remove()
      rmSync(directory, { recursive: true, force: true })
    },
  }
  return system
}
