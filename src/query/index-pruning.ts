/** What of a query can be asked of a segment's indexes, before any of its columns is read. */
import type { IndexCondition } from '../model/reader.ts'
import { TermMatcher } from '../store/search/term-matcher.ts'
import { AttributeProbe } from '../store/segment/attribute-filter.ts'
import { type FilterTerm, filterTerm, type PrefixFilter } from '../store/segment/prefix-filter.ts'
import type { WantedWords } from '../store/segment/read-segment.ts'
import { rowsPerFrame } from '../store/segment/record-frames.ts'
import { type TraceFilter, type TraceKey, traceKey } from '../store/segment/trace-filter.ts'
import { WordRows } from '../store/segment/word-rows.ts'

export interface LogTerm {
  readonly matcher: TermMatcher
  readonly bytes: FilterTerm
}

type Node =
  | { readonly type: 'and' | 'or'; readonly nodes: readonly Node[] }
  | { readonly type: 'term'; readonly term: LogTerm; readonly bit: number }
  | { readonly type: 'trace'; readonly key: TraceKey }
  | { readonly type: 'attribute'; readonly probe: AttributeProbe }

/** Frames with a token that a term finds, a flag each; null if there is none. */
export type TermFrames = ReadonlyMap<LogTerm, Uint8Array | null>

export class IndexPruning {
  readonly #root: Node
  /** Of the whole condition. */
  readonly terms: readonly LogTerm[]
  readonly attributes: readonly AttributeProbe[]
  readonly hasTraces: boolean
  /** Null where no word is asked for. */
  readonly words: WantedWords | null

  constructor(condition: IndexCondition) {
    const terms: LogTerm[] = []
    const attributes: AttributeProbe[] = []
    let hasTraces = false
    const nodeOf = (one: IndexCondition): Node => {
      switch (one.type) {
        case 'term': {
          const matcher = new TermMatcher(one.term)
          const term = { matcher, bytes: filterTerm(matcher) }
          const bit = 1 << terms.length
          terms.push(term)
          return { type: 'term', term, bit }
        }
        case 'trace':
          hasTraces = true
          return { type: 'trace', key: traceKey(new Uint8Array(Buffer.from(one.traceId, 'hex'))) }
        case 'attribute': {
          const probe = new AttributeProbe(one.key, one.value)
          attributes.push(probe)
          return { type: 'attribute', probe }
        }
        default:
          return { type: one.type, nodes: one.conditions.map(nodeOf) }
      }
    }
    this.#root = nodeOf(condition)
    this.terms = terms
    this.attributes = attributes
    this.hasTraces = hasTraces
    const matchers = terms.map(({ matcher }) => matcher)
    this.words =
      terms.length === 0 ? null : { words: new WordRows(matchers), suffices: mask => this.#suffices(mask) }
  }

  /** False: a row with no words but these, a bit for each of `terms`, is not found. */
  #suffices(mask: number, node: Node = this.#root): boolean {
    if (node.type === 'term') return (mask & node.bit) !== 0
    if (node.type === 'and') return node.nodes.every(one => this.#suffices(mask, one))
    if (node.type === 'or') return node.nodes.some(one => this.#suffices(mask, one))
    return true
  }

  /** False: no row of the segment is found. */
  mayHold({ filter, traces, attributes }: AskedIndexes): boolean {
    const may = (node: Node): boolean => {
      switch (node.type) {
        case 'and':
          return node.nodes.every(may)
        case 'or':
          return node.nodes.some(may)
        case 'term':
          return filter === null || filter.mayHold(node.term.bytes)
        case 'trace':
          return traces === null || traces.mayHold(node.key)
        case 'attribute':
          return attributes.get(node.probe) !== false
      }
    }
    return may(this.#root)
  }

  /** A flag for each frame that may hold a row. */
  frames({ traces, attributes }: AskedIndexes, found: TermFrames, count: number): Uint8Array {
    const all = (flag: boolean): Uint8Array => new Uint8Array(count).fill(flag ? 1 : 0)
    return flagsOf(this.#root, node => {
      if (node.type === 'term') return found.get(node.term) ?? all(false)
      if (node.type === 'trace') return all(traces === null || traces.mayHold(node.key))
      return all(attributes.get(node.probe) !== false)
    })
  }

  /** A flag for each of the `count` rows of a group that may be found, told by attributes alone. */
  rows(count: number, rowsWith: ReadonlyMap<AttributeProbe, Uint8Array>): Uint8Array {
    const all = new Uint8Array(count).fill(1)
    return flagsOf(this.#root, node => (node.type === 'attribute' ? (rowsWith.get(node.probe) ?? all) : all))
  }
}

/** What was found out of a segment; null where nothing was asked or nothing is known. */
export interface AskedIndexes {
  readonly filter: PrefixFilter | null
  readonly traces: TraceFilter | null
  /** False where a segment surely does not have it. */
  readonly attributes: ReadonlyMap<AttributeProbe, boolean>
}

type Leaf = Extract<Node, { readonly type: 'term' | 'trace' | 'attribute' }>

function flagsOf(node: Node, leaf: (node: Leaf) => Uint8Array): Uint8Array {
  if (!('nodes' in node)) return leaf(node)
  const both = node.type === 'and'
  return node.nodes
    .map(one => flagsOf(one, leaf))
    .reduce((a, b) => a.map((flag, at) => (both ? flag & (b[at] as number) : flag | (b[at] as number))))
}

/** Rows of the frames that are marked with 1, of those of a group: `count` rows from `firstRow` on. */
export function rowsOfFrames(frames: Uint8Array, firstRow: number, count: number): readonly number[] {
  const rows: number[] = []
  const size = rowsPerFrame('logs')
  for (let row = 0; row < count; row += size) {
    if (frames[(firstRow + row) / size] !== 1) continue
    for (let one = row; one < Math.min(count, row + size); one++) rows.push(one)
  }
  return rows
}
