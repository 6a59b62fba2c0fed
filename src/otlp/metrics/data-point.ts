/** A stored data point with everything its columns leave out. */
import type { MetricType } from '../../model/telemetry.ts'
import type { Attribute } from '../any-value.ts'
import { attributesOfPoint, attributesTagged } from '../attributes.ts'
import { type FieldView, forEachField } from '../wire/field-walk.ts'

export interface Exemplar {
  readonly timeNs: bigint
  readonly value: number
  /** Lower-case hexadecimal; empty if not given, or bad and left out. */
  readonly traceId: string
  readonly spanId: string
  readonly attributes: readonly Attribute[]
}

/** Buckets of an exponential histogram: `counts[i]` lies in (base^(offset+i), base^(offset+i+1)]. */
export interface ExponentialBuckets {
  readonly offset: number
  readonly counts: readonly number[]
}

interface PointBase {
  readonly attributes: readonly Attribute[]
  /** Nanoseconds since the epoch, 0 if not given. */
  readonly timeNs: bigint
  readonly startNs: bigint
  /** Bits of the proto's DataPointFlags. */
  readonly flags: number
  readonly exemplars: readonly Exemplar[]
}

/** Null where the point carries no such number. Counts above 2^53 lose their last digits. */
export type DataPoint =
  | (PointBase & { readonly type: 'gauge' | 'sum'; readonly value: number | null })
  | (PointBase & {
      readonly type: 'histogram'
      readonly count: number
      readonly sum: number | null
      readonly min: number | null
      readonly max: number | null
      /** One more than `bounds`: bucket `i` holds values up to and including `bounds[i]`. */
      readonly bucketCounts: readonly number[]
      readonly bounds: readonly number[]
    })
  | (PointBase & {
      readonly type: 'exponential_histogram'
      readonly count: number
      readonly sum: number | null
      readonly min: number | null
      readonly max: number | null
      /** base = 2^(2^-scale) */
      readonly scale: number
      readonly zeroCount: number
      readonly zeroThreshold: number
      readonly positive: ExponentialBuckets
      readonly negative: ExponentialBuckets
    })
  | (PointBase & {
      readonly type: 'summary'
      readonly count: number
      readonly sum: number
      readonly quantiles: readonly { readonly quantile: number; readonly value: number }[]
    })

type MutableBuckets = { offset: number; counts: number[] }

/** Reads the data point `record` of a metric of this type. Throws `decode_error` for a malformed record. */
export function readDataPoint(type: MetricType, record: Uint8Array): DataPoint {
  switch (type) {
    case 'gauge':
    case 'sum':
      return numberPoint(type, record)
    case 'histogram':
      return histogramPoint(record)
    case 'exponential_histogram':
      return exponentialPoint(record)
    case 'summary':
      return summaryPoint(record)
    default:
      return type satisfies never
  }
}

function base(type: MetricType, record: Uint8Array) {
  return {
    attributes: attributesOfPoint(type, record),
    timeNs: 0n,
    startNs: 0n,
    flags: 0,
    exemplars: [] as Exemplar[],
  }
}

/** Start and time have the same numbers in all points. */
function setTimes(point: { timeNs: bigint; startNs: bigint }, field: FieldView): void {
  if (field.number === 2) point.startNs = field.nanoseconds()
  else if (field.number === 3) point.timeNs = field.nanoseconds()
}

function numberPoint(type: 'gauge' | 'sum', record: Uint8Array): DataPoint {
  const point = { type, ...base(type, record), value: null as number | null }
  forEachField(record, field => {
    setTimes(point, field)
    if (field.number === 4) point.value = field.double()
    else if (field.number === 5) point.exemplars.push(exemplarOf(field.content()))
    else if (field.number === 6) point.value = field.sfixed64()
    else if (field.number === 8) point.flags = field.uint32()
  })
  return point
}

function histogramPoint(record: Uint8Array): DataPoint {
  const type = 'histogram' as const
  const point = {
    type,
    ...base(type, record),
    ...distribution(),
    bucketCounts: [] as number[],
    bounds: [] as number[],
  }
  forEachField(record, field => {
    setTimes(point, field)
    if (field.number === 4) point.count = field.fixed64()
    else if (field.number === 5) point.sum = field.double()
    else if (field.number === 6) field.counts(point.bucketCounts)
    else if (field.number === 7) field.doubles(point.bounds)
    else if (field.number === 8) point.exemplars.push(exemplarOf(field.content()))
    else if (field.number === 10) point.flags = field.uint32()
    else if (field.number === 11) point.min = field.double()
    else if (field.number === 12) point.max = field.double()
  })
  return point
}

function distribution(): { count: number; sum: number | null; min: number | null; max: number | null } {
  return { count: 0, sum: null, min: null, max: null }
}

function exponentialPoint(record: Uint8Array): DataPoint {
  const type = 'exponential_histogram' as const
  const positive: MutableBuckets = { offset: 0, counts: [] }
  const negative: MutableBuckets = { offset: 0, counts: [] }
  const point = {
    type,
    ...base(type, record),
    ...distribution(),
    scale: 0,
    zeroCount: 0,
    zeroThreshold: 0,
    positive,
    negative,
  }
  forEachField(record, field => {
    setTimes(point, field)
    if (field.number === 4) point.count = field.fixed64()
    else if (field.number === 5) point.sum = field.double()
    else if (field.number === 6) point.scale = field.sint32()
    else if (field.number === 7) point.zeroCount = field.fixed64()
    else if (field.number === 8) readBuckets(field.content(), positive)
    else if (field.number === 9) readBuckets(field.content(), negative)
    else if (field.number === 10) point.flags = field.uint32()
    else if (field.number === 11) point.exemplars.push(exemplarOf(field.content()))
    else if (field.number === 12) point.min = field.double()
    else if (field.number === 13) point.max = field.double()
    else if (field.number === 14) point.zeroThreshold = field.double()
  })
  return point
}

function readBuckets(message: Uint8Array, into: MutableBuckets): void {
  forEachField(message, field => {
    if (field.number === 1) into.offset = field.sint32()
    else if (field.number === 2) field.varints(into.counts)
  })
}

function summaryPoint(record: Uint8Array): DataPoint {
  const type = 'summary' as const
  const quantiles: { quantile: number; value: number }[] = []
  const point = { type, ...base(type, record), count: 0, sum: 0, quantiles }
  forEachField(record, field => {
    setTimes(point, field)
    if (field.number === 4) point.count = field.fixed64()
    else if (field.number === 5) point.sum = field.double()
    else if (field.number === 6) quantiles.push(quantileOf(field.content()))
    else if (field.number === 8) point.flags = field.uint32()
  })
  return point
}

function quantileOf(message: Uint8Array): { quantile: number; value: number } {
  const pair = { quantile: 0, value: 0 }
  forEachField(message, field => {
    if (field.number === 1) pair.quantile = field.double()
    else if (field.number === 2) pair.value = field.double()
  })
  return pair
}

function exemplarOf(message: Uint8Array): Exemplar {
  const parts = { timeNs: 0n, value: Number.NaN, traceId: '', spanId: '' }
  forEachField(message, field => {
    if (field.number === 2) parts.timeNs = field.nanoseconds()
    else if (field.number === 3) parts.value = field.double()
    else if (field.number === 4) parts.spanId = field.hex()
    else if (field.number === 5) parts.traceId = field.hex()
    else if (field.number === 6) parts.value = field.sfixed64()
  })
  return { ...parts, attributes: attributesTagged(message, 0x3a) }
}
