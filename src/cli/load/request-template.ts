/** One request of a load, ready to be filled with the ids and times of a round. */
import type { Signal } from '../../model/telemetry.ts'
import { transcodeJson } from '../../otlp/json/transcode-json.ts'
import { findMarks, type Marks, withBinaryMarks } from './request-marks.ts'

export type LoadEncoding = 'protobuf' | 'json'

/** What is different from one round to the next. */
export interface Round {
  /** Of random bits; every id is XORed with it. */
  readonly maskLow: number
  readonly maskHigh: number
  /** Nanoseconds since the epoch at which the round begins, as its items tell it. */
  readonly startNs: bigint
  /** Counts up from 0. */
  readonly number: number
}

export interface RequestTemplate {
  readonly signal: Signal
  readonly items: number
  /** When in its round it is sent, 0 to 1. */
  readonly at: number
  /** A new buffer of the request as it is sent in a round. */
  fill(round: Round): Buffer
}

/** How much a counter grows from round to round; a round's own steps stay below it. */
export const counterPerRound = 1_000_000

const codes = { id: 0, hex: 1, time: 2, counter: 3 } as const
const pairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const pairCodes = Uint16Array.from(pairs, pair => pair.charCodeAt(0) | (pair.charCodeAt(1) << 8))

export interface TemplateSource {
  readonly signal: Signal
  readonly items: number
  readonly at: number
  /** OTLP/JSON with the marks of `marks`. */
  readonly json: string
}

export function requestTemplate(
  source: TemplateSource,
  marks: Marks,
  encoding: LoadEncoding,
): RequestTemplate {
  const bytes =
    encoding === 'json'
      ? Buffer.from(source.json)
      : Buffer.from(transcodeJson(source.signal, Buffer.from(withBinaryMarks(source.json))))
  const places = findMarks(bytes)
  const offsets = Uint32Array.from(places, place => place.offset)
  const kinds = Uint8Array.from(places, place => codes[marks.kindOf(place.number)])
  const low = Uint32Array.from(places, place => Number(marks.valueOf(place.number) & 0xffffffffn))
  const high = Uint32Array.from(places, place => Number((marks.valueOf(place.number) >> 32n) & 0xffffffffn))
  const write = encoding === 'json' ? writeText : writeBinary

  return {
    signal: source.signal,
    items: source.items,
    at: source.at,
    fill(round) {
      const copy = Buffer.from(bytes)
      const startLow = Number(round.startNs & 0xffffffffn)
      const startHigh = Number(round.startNs >> 32n)
      const grown = BigInt(round.number) * BigInt(counterPerRound)
      const grownLow = Number(grown & 0xffffffffn)
      const grownHigh = Number(grown >> 32n)
      for (let i = 0; i < offsets.length; i++) {
        const kind = kinds[i] as number
        const offset = offsets[i] as number
        let a = low[i] as number
        let b = high[i] as number
        if (kind === codes.id || kind === codes.hex) {
          a = (a ^ round.maskLow) >>> 0
          b = (b ^ round.maskHigh) >>> 0
          if (kind === codes.hex) writeHex(copy, offset, b, a)
          else write(copy, offset, kind, b, a)
        } else {
          const sum = a + (kind === codes.time ? startLow : grownLow)
          a = sum >>> 0
          b = (b + (kind === codes.time ? startHigh : grownHigh) + (sum > 0xffffffff ? 1 : 0)) >>> 0
          write(copy, offset, kind, b, a)
        }
      }
      return copy
    },
  }
}

/** Ids are written high half first, so that they read the same in both encodings; numbers are little-endian. */
function writeBinary(into: Buffer, offset: number, kind: number, high: number, low: number): void {
  if (kind === codes.id) {
    into.writeUInt32BE(high, offset)
    into.writeUInt32BE(low, offset + 4)
  } else {
    into.writeUInt32LE(low, offset)
    into.writeUInt32LE(high, offset + 4)
  }
}

function writeText(into: Buffer, offset: number, kind: number, high: number, low: number): void {
  if (kind === codes.id) writeHex(into, offset, high, low)
  else {
    const digits = kind === codes.time ? 19 : 16
    into.write(String((BigInt(high) << 32n) | BigInt(low)).padStart(digits, '0'), offset, 'latin1')
  }
}

function writeHex(into: Buffer, offset: number, high: number, low: number): void {
  for (let byte = 0; byte < 4; byte++) {
    const shift = 24 - byte * 8
    into.writeUInt16LE(pairCodes[(high >>> shift) & 255] as number, offset + byte * 2)
    into.writeUInt16LE(pairCodes[(low >>> shift) & 255] as number, offset + 8 + byte * 2)
  }
}
