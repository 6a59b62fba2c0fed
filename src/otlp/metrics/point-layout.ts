/** Where the five kinds of data points keep what becomes a column. */
import type { MetricType } from '../../model/telemetry.ts'
import type { MessageSpec } from '../fields/field-table.ts'
import { type MessageShape, shapeOf } from '../fields/message-shape.ts'
import {
  exponentialPointMessage,
  histogramPointMessage,
  numberPointMessage,
  summaryPointMessage,
} from '../fields/metrics-fields.ts'

/** Tags of one kind of point; 0 where it has no such field. Start and time are 0x11 and 0x19 in all. */
export interface PointLayout {
  readonly type: MetricType
  readonly shape: MessageShape
  readonly attributes: number
  readonly exemplars: number
  readonly flags: number
  readonly asDouble: number
  readonly asInt: number
  readonly count: number
  readonly sum: number
  /** As packed fields. */
  readonly bucketCounts: number
  readonly bounds: number
  readonly quantiles: number
  /** Value of a point without any: NaN where absence and zero are told apart. */
  readonly missing: number
}

function layout(type: MetricType, message: MessageSpec): PointLayout {
  const shape = shapeOf(message)
  const tag = (jsonName: string): number => shape.byJsonName.get(jsonName)?.tag ?? 0
  const packed = (jsonName: string): number => (tag(jsonName) === 0 ? 0 : (tag(jsonName) & ~7) | 2)
  return {
    type,
    shape,
    attributes: tag('attributes'),
    exemplars: tag('exemplars'),
    flags: tag('flags'),
    asDouble: tag('asDouble'),
    asInt: tag('asInt'),
    count: tag('count'),
    sum: tag('sum'),
    bucketCounts: packed('bucketCounts'),
    bounds: packed('explicitBounds'),
    quantiles: tag('quantileValues'),
    missing: type === 'summary' ? 0 : Number.NaN,
  }
}

/** By field number of the metric's `data`. */
export const pointLayouts: ReadonlyMap<number, PointLayout> = new Map([
  [5, layout('gauge', numberPointMessage)],
  [7, layout('sum', numberPointMessage)],
  [9, layout('histogram', histogramPointMessage)],
  [10, layout('exponential_histogram', exponentialPointMessage)],
  [11, layout('summary', summaryPointMessage)],
])

/** The layout of the points of a metric of this type. */
export function pointLayout(type: MetricType): PointLayout {
  for (const entry of pointLayouts.values()) if (entry.type === type) return entry
  throw new Error(`no data point message for metric type ${type}`)
}
