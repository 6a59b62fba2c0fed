import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StoreError } from '../../../src/errors.ts'
import { CellTable } from '../../../src/graph/rollups/cell-table.ts'
import { keysOf, openBlock } from '../../../src/graph/rollups/decode.ts'
import { encodeCells } from '../../../src/graph/rollups/encode.ts'
import { ColumnReader } from '../../../src/graph/rollups/section-columns.ts'
import { kindNumber, kindShapes, SeriesKeys } from '../../../src/graph/rollups/series-keys.ts'
import { crc32c } from '../../../src/model/crc32c.ts'
import type { RollupRecord } from '../../../src/model/store.ts'
import { cellText } from '../cell-text.ts'

/** Six requests, log records and points, as version 1 stored them. */
const firstVersion = Buffer.from(
  [
    'T0NSQgEKAAAABwAAlgAAAJYAAAACA3dlYgNwYXkCAAEEBNj5j6IBAgICBwICAgQCBAIEAgQCAAIAAAAAAACA7LgLgPPfGYDk/rQC',
    'gKGdtwWAm+4CgKToA4DY8RaAoMIegNHKCIDP9xWAjI2eAoCB25gFgJvuAoCk6AOA2PEWgKDCHgIBAgECAQIBzgECHAKGAgKiAgIc',
    'AtsCArIBAhEC1QEC5wECEgKKAgIBAKEAAAChAAAABAN3ZWIEd29yawEyA3BheQIAAQIDAQIEBNj5j6IBAgICBwICAgQCBAIEAgQC',
    'AAIAAAAAAACA7LgLgPPfGYDk/rQCgKGdtwWAm+4CgKToA4DY8RaAoMIegNHKCIDP9xWAjI2eAoCB25gFgJvuAoCk6AOA2PEWgKDC',
    'HgIBAgECAQIBzgECHAKGAgKiAgIcAtsCArIBAhEC1QEC5wECEgKKAgICAFcAAABXAAAABAN3ZWIDcGF5A3JwYwdzZXJ2aWNlAQAB',
    'AgME2PmPogECAgIEAgQCAAAAAICb7gKApOgDgNjxFoCgwh4AAAAAAAAAAAIBAgGyAQIRAtUBAucBAhICigICAwCDAAAAgwAAAAMD',
    'd2ViAANwYXkCAAEBAQIBAQEEBNj5j6IBAgICBwICAgQCBAIEAgQCAAIAAAAAAACA7LgLgPPfGYDk/rQCgKGdtwWAm+4CgKToA4DY',
    '8RaAoMIeAAAAAAAAAAACAQIBAgECAc4BAhwChgICogICHALbAgKyAQIRAtUBAucBAhICigICBAAaAAAAGgAAAAIDd2ViBGluZm8B',
    'AAEE2PmPogECAgIEAgQCBQAmAAAAJgAAAAIDd2ViEDg2MjQ3ZmJmNDljOGUxZjEBAAEE2PmPogECAgIEAgQCBgDLAAAAywAAAAUE',
    'c2hvcANjcHUAATEFZ2F1Z2UBAAECAgMEBNj5j6IBAgICBAIEAgAAAAAAAAAAAAASQAAAAAAAACJAAAAAAACAP0AAAAAAAIA2QAAA',
    'AAAAABJAAAAAAAAAIkAAAAAAAAAyQAAAAAAAgDZAAAAAAAAAAAAAAAAAAAAiQAAAAAAAACtAAAAAAACANkAAAAAAAAASQAAAAAAA',
    'ACJAAAAAAAAAMkAAAAAAAIA2QACQYSf+vHhCACAXKf68eEIAQIIs/rx4QgDQNy7+vHhCNdevQA==',
  ].join(''),
  'base64',
)

const firstVersionCells = [
  'edge web|pay|rpc|service 169999980: 2 0 3000000 0 0 0 0 [178x1 195x1]',
  'edge web|pay|rpc|service 169999981: 1 0 4000000 0 0 0 0 [213x1]',
  'edge web|pay|rpc|service 169999982: 2 0 24000000 0 0 0 0 [231x1 249x1]',
  'edge web|pay|rpc|service 169999983: 1 0 32000000 0 0 0 0 [266x1]',
  'instance pay||| 169999980: 2 0 3000000 0 0 0 0 [178x1 195x1]',
  'instance pay||| 169999981: 1 0 4000000 0 0 0 0 [213x1]',
  'instance pay||| 169999982: 2 0 24000000 0 0 0 0 [231x1 249x1]',
  'instance pay||| 169999983: 1 0 32000000 0 0 0 0 [266x1]',
  'instance web||| 169999980: 2 0 12000000 0 0 0 0 [206x1 234x1]',
  'instance web||| 169999981: 1 1 27000000 0 0 0 0 [262x1]',
  'instance web||| 169999982: 2 0 324000000 0 0 0 0 [290x1 318x1]',
  'instance web||| 169999983: 1 0 729000000 0 0 0 0 [347x1]',
  'metric shop|cpu|||1|gauge 169999980: 2 0 4.5 4.5 0 4.5 1699999807001 []',
  'metric shop|cpu|||1|gauge 169999981: 1 0 9 9 9 9 1699999814002 []',
  'metric shop|cpu|||1|gauge 169999982: 2 0 31.5 18 13.5 18 1699999828004 []',
  'metric shop|cpu|||1|gauge 169999983: 1 0 22.5 22.5 22.5 22.5 1699999835005 []',
  'operation pay|work|2 169999980: 2 0 3000000 3000000 0 0 0 [178x1 195x1]',
  'operation pay|work|2 169999981: 1 0 4000000 4000000 0 0 0 [213x1]',
  'operation pay|work|2 169999982: 2 0 24000000 24000000 0 0 0 [231x1 249x1]',
  'operation pay|work|2 169999983: 1 0 32000000 32000000 0 0 0 [266x1]',
  'operation web|work|2 169999980: 2 0 12000000 9000000 0 0 0 [206x1 234x1]',
  'operation web|work|2 169999981: 1 1 27000000 23000000 0 0 0 [262x1]',
  'operation web|work|2 169999982: 2 0 324000000 300000000 0 0 0 [290x1 318x1]',
  'operation web|work|2 169999983: 1 0 729000000 697000000 0 0 0 [347x1]',
  'service pay 169999980: 2 0 3000000 3000000 0 0 0 [178x1 195x1]',
  'service pay 169999981: 1 0 4000000 4000000 0 0 0 [213x1]',
  'service pay 169999982: 2 0 24000000 24000000 0 0 0 [231x1 249x1]',
  'service pay 169999983: 1 0 32000000 32000000 0 0 0 [266x1]',
  'service web 169999980: 2 0 12000000 9000000 0 0 0 [206x1 234x1]',
  'service web 169999981: 1 1 27000000 23000000 0 0 0 [262x1]',
  'service web 169999982: 2 0 324000000 300000000 0 0 0 [290x1 318x1]',
  'service web 169999983: 1 0 729000000 697000000 0 0 0 [347x1]',
  'severity web|info 169999980: 2 0 0 0 0 0 0 []',
  'severity web|info 169999981: 1 0 0 0 0 0 0 []',
  'severity web|info 169999982: 2 0 0 0 0 0 0 []',
  'severity web|info 169999983: 1 0 0 0 0 0 0 []',
  'template web|86247fbf49c8e1f1 169999980: 2 0 0 0 0 0 0 []',
  'template web|86247fbf49c8e1f1 169999981: 1 0 0 0 0 0 0 []',
  'template web|86247fbf49c8e1f1 169999982: 2 0 0 0 0 0 0 []',
  'template web|86247fbf49c8e1f1 169999983: 1 0 0 0 0 0 0 []',
]

function recordOf(bytes: Uint8Array, firstWindow: number, windows: number): RollupRecord {
  const fromMs = firstWindow * 10_000
  const toMs = fromMs + windows * 10_000
  return { id: 'one', tenant: 't', stepSeconds: 10, fromMs, toMs, receivedMs: 0, bytes }
}

/** With a checksum that fits. */
function resealed(bytes: Uint8Array): Uint8Array {
  const end = bytes.length - 4
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(end, crc32c(bytes, 0, end), true)
  return bytes
}

/** Numbers of every width a column has, and such as are not whole. */
const amount = fc.oneof(
  fc.integer({ min: -3, max: 100 }),
  fc.integer({ min: -40_000, max: 40_000 }),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 }),
  fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
  fc.double({ noNaN: true }),
)
const cell = fc.record({
  kind: fc.constantFrom('service' as const, 'edge' as const, 'severity' as const, 'metric' as const),
  name: fc.string({ unit: 'grapheme', maxLength: 6 }),
  window: fc.oneof(fc.nat(500), fc.constant(300_000_000)),
  amounts: fc.array(amount, { minLength: 5, maxLength: 5 }),
  bucket: fc.nat(719),
})

describe('a rollup block', () => {
  it('of version 1 is still read', () => {
    expect(firstVersion[4]).toBe(1)
    expect(cellText([recordOf(firstVersion, 169_999_980, 4)])).toEqual(firstVersionCells)
  })

  it('gives back every number and name that went in, whatever their width', () => {
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1, maxLength: 40 }), cells => {
        const table = new CellTable()
        const series = new SeriesKeys()
        for (const { kind, name, window, amounts, bucket } of cells) {
          const number = kindNumber(kind)
          const parts = kindShapes[number]?.parts ?? 0
          const at = table.cell(
            series.add(
              number,
              Array.from({ length: parts }, (_, p) => (p % 2 ? '' : name)),
            ),
            window,
          )
          const [count = 0, errors = 0, sum = 0, self = 0, paired = 0] = amounts
          table.count[at] = count
          if (kind === 'severity') continue
          table.errors[at] = errors
          table.sum[at] = sum
          table.self[at] = self
          if (kind !== 'service') table.paired[at] = paired
          if (kind === 'metric') table.lastMs[at] = sum
          else table.buckets.add(at, bucket, 1)
        }
        const found = new Set<string>()
        for (const { bytes } of encodeCells(table, series, 10)) {
          const block = openBlock(bytes)
          for (const kind of kindShapes.keys()) {
            const decoded = block.section(kind)
            if (decoded === undefined) continue
            const { cells: columns } = decoded
            for (const [s, key] of keysOf(decoded).entries())
              for (let row = columns.first[s] ?? 0; row < (columns.first[s + 1] ?? 0); row++)
                found.add(
                  JSON.stringify([
                    [
                      kind,
                      key,
                      columns.window[row],
                      columns.count[row],
                      columns.errors[row],
                      columns.sum[row],
                    ],
                    [columns.self[row], columns.paired[row], columns.lastMs[row] ?? 0],
                    [...columns.buckets.slice(columns.bucketFirst[row], columns.bucketFirst[row + 1])],
                  ]),
                )
          }
        }
        const { first, buckets } = table.buckets.sorted(table.size)
        for (let at = 0; at < table.size; at++) {
          const number = table.seriesOf(at)
          const kind = series.kinds[number] ?? 0
          if (table.isZero(at) && kindShapes[kind]?.cells !== 'value') continue
          const parts = [table.self[at], table.paired[at], table.lastMs[at]]
          const own = [
            kind,
            series.keys[number],
            table.windowOf(at),
            table.count[at],
            table.errors[at],
            table.sum[at],
          ]
          expect(found).toContain(JSON.stringify([own, parts, [...buckets.slice(first[at], first[at + 1])]]))
        }
      }),
      { numRuns: 200 },
    )
  })

  it('is read wherever it lies in a buffer', () => {
    const table = new CellTable()
    const series = new SeriesKeys()
    table.add(table.cell(series.add(kindNumber('service'), ['pay']), 7), 1, 0, 2 ** 40)
    const [block] = encodeCells(table, series, 10)
    const bytes = block?.bytes ?? new Uint8Array(0)
    for (let at = 0; at < 8; at++) {
      const inside = Buffer.from([...new Uint8Array(at), ...bytes]).subarray(at)
      expect(cellText([recordOf(inside, 7, 1)])).toEqual(['service pay 7: 1 0 1099511627776 0 0 0 0 []'])
    }
  })

  it('is damaged if it claims more columns than it has bytes, however many more', () => {
    for (const columns of [65, 0x7fffffff, 0x91000000, 0xffffffff]) {
      const section = new Uint8Array(64).fill(1, 28)
      new DataView(section.buffer).setUint32(20, columns, true)
      expect(() => new ColumnReader(section).next(1)).toThrow(StoreError)
    }
  })

  it('of a newer version is refused as such, and one that is damaged as damaged', () => {
    const newer = resealed(Uint8Array.from(firstVersion, (byte, at) => (at === 4 ? 3 : byte)))
    expect(() => openBlock(newer)).toThrow(expect.objectContaining({ code: 'newer_format' }))
    const damaged = Uint8Array.from(firstVersion, (byte, at) => (at === 40 ? byte ^ 1 : byte))
    expect(() => openBlock(damaged)).toThrow(StoreError)
  })
})
