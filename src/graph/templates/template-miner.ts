/**
 * Log templates of one tenant, separate per service. A template's number and id are given once and stay
 * while its pattern generalises; both survive a restart through the stored records.
 */
import { createHash } from 'node:crypto'
import type { TemplateRecord } from '../../model/store.ts'
import { textAt } from '../../otlp/wire/utf8-text.ts'
import type { CardinalityShare } from '../cardinality-budget.ts'
import { overflowName } from '../graph-limits.ts'
import { LineHash } from './line-hash.ts'
import type { ShapeTrie } from './shape-trie.ts'
import { type Template, TemplateTree } from './template-tree.ts'
import { tokenize } from './tokenize.ts'

export interface TemplateMinerOptions {
  readonly tenant: string
  readonly templates: readonly TemplateRecord[]
  readonly maxTemplates: number
  readonly maxTemplatesPerService: number
  /** Of all tenants together. */
  readonly share?: CardinalityShare
  /** Hears whose lines are counted under `_overflow`. */
  readonly onFold?: (service: string) => void
}

/** What a new template is told of its first line besides the text. */
interface LineSeen {
  readonly severity: number
  readonly timeMs: number
}

interface Known {
  readonly service: string
  readonly id: string
  readonly firstSeenMs: number
  severity: number
  readonly template: Template
}

export class TemplateMiner {
  readonly #options: TemplateMinerOptions
  readonly #hash = new LineHash()
  readonly #trees = new Map<string, TemplateTree>()
  /** By template number; holes where a number was never stored. */
  readonly #known: (Known | undefined)[] = [undefined]
  readonly #changed = new Set<number>()
  #size = 0
  #folded = 0

  constructor(options: TemplateMinerOptions) {
    this.#options = options
    for (const record of options.templates.toSorted((a, b) => a.number - b.number)) this.#restore(record)
  }

  /** Lines that were counted under a service's `_overflow` template. */
  get folded(): number {
    return this.#folded
  }

  /** Number of the shape of the line that was assigned last, 0 without one; its variables are those of `shapes`. */
  get lineShape(): number {
    return this.#hash.shape
  }

  get shapes(): ShapeTrie {
    return this.#hash.shapes.trie
  }

  /** Template number of a line, from 1. `timeMs` dates a template that is new. */
  assign(service: string, line: string, severity: number, timeMs: number): number {
    const bytes = Buffer.from(line, 'utf8')
    return this.assignBytes(this.treeOf(service), bytes, 0, bytes.length, severity, timeMs)
  }

  /** The same for a line of UTF-8 and the tree of its service. */
  assignBytes(
    tree: TemplateTree,
    bytes: Uint8Array,
    from: number,
    to: number,
    severity: number,
    timeMs: number,
  ): number {
    const hash = this.#hash
    hash.walk(bytes, from, to)
    let template = tree.known(hash) ?? null
    if (template === null) {
      const full = this.#isFull(tree)
      if (!full || !tree.isFolded(hash))
        template = this.#match(tree, textAt(bytes, from, to), full, { severity, timeMs })
    }
    if (template === null) return this.#overflow(tree, timeMs)
    const known = this.#known[template.number]
    if (known !== undefined && severity > known.severity) {
      known.severity = severity
      this.#changed.add(template.number)
    }
    return template.number
  }

  /** Templates of one service. */
  treeOf(service: string): TemplateTree {
    const known = this.#trees.get(service)
    if (known !== undefined) return known
    const tree = new TemplateTree(service)
    this.#trees.set(service, tree)
    return tree
  }

  /** Sixteen hex digits; empty for a number that was never given. */
  idOf(number: number): string {
    return this.#known[number]?.id ?? ''
  }

  /** The number a template goes by now: its own, or that of the one it has become one with. */
  current(number: number): number {
    let at = number
    for (let into = this.#known[at]?.template.mergedInto ?? 0; into > 0; ) {
      at = into
      into = this.#known[at]?.template.mergedInto ?? 0
    }
    return at
  }

  /** The pattern as it is now; empty for a number that was never given. */
  patternOf(number: number): string {
    return this.#known[this.current(number)]?.template.tokens.join('') ?? ''
  }

  /** Records of the templates that are new or changed since the last call, by number. */
  changed(): TemplateRecord[] {
    const numbers = [...this.#changed].sort((a, b) => a - b)
    this.#changed.clear()
    return numbers.flatMap(number => {
      const known = this.#known[number]
      if (known === undefined) return []
      const { service, id, severity, firstSeenMs } = known
      const pattern = this.patternOf(number)
      return [{ tenant: this.#options.tenant, service, number, id, pattern, severity, firstSeenMs }]
    })
  }

  #name(service: string, template: Template, seen: LineSeen): void {
    template.number = this.#known.length
    const id = templateId(this.#options.tenant, service, template.tokens.join(''))
    this.#known.push({ service, id, firstSeenMs: seen.timeMs, severity: seen.severity, template })
    this.#size++
    this.#options.share?.take('templates')
    this.#changed.add(template.number)
  }

  #isFull(tree: TemplateTree): boolean {
    const { maxTemplates, maxTemplatesPerService, share } = this.#options
    return (
      this.#size >= maxTemplates || tree.size >= maxTemplatesPerService || share?.fits('templates') === false
    )
  }

  /** The template of a line that is not known by its hash; null if there is no room for a new one. */
  #match(tree: TemplateTree, line: string, full: boolean, seen: LineSeen): Template | null {
    const match = tree.match(line, this.#hash, full)
    if (match === null) return null
    if (match.template.number === 0) this.#name(tree.service, match.template, seen)
    for (const changed of match.changed) if (changed.number > 0) this.#changed.add(changed.number)
    return match.template
  }

  #restore(record: TemplateRecord): void {
    while (this.#known.length <= record.number) this.#known.push(undefined)
    const { service, id, severity, firstSeenMs } = record
    const template: Template = {
      number: record.number,
      tokens: tokenize(record.pattern),
      mergedInto: 0,
    }
    this.#known[record.number] = { service, id, severity, firstSeenMs, template }
    this.#size++
    this.#options.share?.take('templates')
    const tree = this.treeOf(service)
    if (record.pattern === overflowName) tree.overflow = template
    else tree.restore(template)
  }

  #overflow(tree: TemplateTree, timeMs: number): number {
    const { service } = tree
    this.#folded++
    this.#options.onFold?.(service)
    if (tree.overflow === null) {
      const template: Template = { number: this.#known.length, tokens: [overflowName], mergedInto: 0 }
      const id = templateId(this.#options.tenant, service, overflowName)
      this.#known.push({ service, id, firstSeenMs: timeMs, severity: 0, template })
      this.#changed.add(template.number)
      tree.overflow = template
    }
    return tree.overflow.number
  }
}

/** Sixteen hex digits of a hash over tenant, service and the pattern the template was first seen with. */
function templateId(tenant: string, service: string, pattern: string): string {
  return createHash('sha256')
    .update(JSON.stringify([tenant, service, pattern]))
    .digest('hex')
    .slice(0, 16)
}
