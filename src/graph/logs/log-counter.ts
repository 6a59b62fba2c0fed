/** Counts a block of log records by severity class and template. */
import type { Batch, LineMarks, LogBlock } from '../../model/telemetry.ts'
import { toMs } from '../../model/time.ts'
import type { CellTable } from '../rollups/cell-table.ts'
import { kindNumber } from '../rollups/series-keys.ts'
import { rollupWindowMs } from '../rollups/window.ts'
import type { SeriesRegistry } from '../series-registry.ts'
import type { TemplateMiner } from '../templates/template-miner.ts'
import type { TemplateTree } from '../templates/template-tree.ts'
import { LineMarker } from './line-marker.ts'
import { LogBody } from './log-body.ts'
import { severityClass, severityClasses } from './severity-class.ts'

const severityKind = kindNumber('severity')
const templateKind = kindNumber('template')

export class LogCounter {
  readonly #registry: SeriesRegistry
  readonly #cells: CellTable
  readonly #miner: TemplateMiner
  readonly #body = new LogBody()
  readonly #marker = new LineMarker()
  /** Series by service number times 8 plus class. */
  readonly #severitySeries: number[] = []
  /** Series + 1 by template number. */
  readonly #templateSeries: number[] = []

  constructor(registry: SeriesRegistry, cells: CellTable, miner: TemplateMiner) {
    this.#registry = registry
    this.#cells = cells
    this.#miner = miner
  }

  /** Counts every row and returns its template number, and what was found in its line. */
  add(batch: Batch<LogBlock>): { readonly templates: Uint32Array; readonly lines: LineMarks } {
    const { block, records } = batch
    const cells = this.#cells
    const miner = this.#miner
    const body = this.#body
    const marker = this.#marker
    marker.begin(block.count)
    const { bytes } = records
    const templates = new Uint32Array(block.count)
    const services = block.resources.map(entry => this.#registry.service(entry.service))
    const names = services.map(service => this.#registry.serviceName(service))
    const trees = names.map(name => miner.treeOf(name))
    for (let i = 0; i < block.count; i++) {
      const resource = block.resource[i] as number
      const name = names[resource] as string
      const timeMs = toMs(block.timeHi[i] as number, block.timeLo[i] as number)
      const window = Math.floor(timeMs / rollupWindowMs)
      const severity = block.severity[i] as number
      const offset = records.offset[i] as number
      body.find(bytes, offset, offset + (records.length[i] as number))
      const template = body.isText
        ? miner.assignBytes(trees[resource] as TemplateTree, bytes, body.from, body.to, severity, timeMs)
        : miner.assign(name, body.text(bytes), severity, timeMs)
      templates[i] = template
      if (body.isText && miner.lineShape !== 0) marker.mark(i, miner.lineShape, miner.shapes, body.from)
      cells.add(cells.cell(this.#severity(services[resource] as number, name, severity), window), 1, 0, 0)
      cells.add(cells.cell(this.#template(template, name), window), 1, 0, 0)
    }
    return { templates, lines: marker.take() }
  }

  #severity(service: number, name: string, severity: number): number {
    const at = service * 8 + severityClass(severity)
    const known = this.#severitySeries[at]
    if (known !== undefined) return known
    const text = severityClasses[at % 8] ?? ''
    const series = this.#registry.keys.add(severityKind, [name, text])
    this.#severitySeries[at] = series
    return series
  }

  #template(template: number, service: string): number {
    const known = this.#templateSeries[template]
    if (known !== undefined) return known
    const series = this.#registry.keys.add(templateKind, [service, this.#miner.idOf(template)])
    this.#templateSeries[template] = series
    return series
  }
}
