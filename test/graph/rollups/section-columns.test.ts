import { describe, expect, it } from 'vitest'
import { StoreError } from '../../../src/errors.ts'
import { ColumnReader, type SectionSizes, writeColumns } from '../../../src/graph/rollups/section-columns.ts'

const sizes: SectionSizes = { texts: 1, series: 1, cells: 360, buckets: 720, firstWindow: 0 }

/** Reads the head of a section that claims these sizes; its columns are all zeros and take no bytes. */
function read(claimed: Partial<SectionSizes>): SectionSizes {
  return new ColumnReader(writeColumns({ ...sizes, ...claimed }, [], [])).sizes
}

describe('a section', () => {
  it('may hold a cell of each series for every window of a block', () => {
    expect(read({}).cells).toBe(360)
    expect(read({ series: 20, cells: 7_200 }).cells).toBe(7_200)
  })

  it.each([
    { texts: 1_000 },
    { series: 1_000, cells: 1_000 },
    { cells: 361 },
    { series: 25, cells: 2 ** 24 },
    { cells: 1, buckets: 721 },
    { cells: 2 ** 32 - 1 },
  ])('is damaged where it claims %o of almost nothing', claimed => {
    expect(() => read(claimed)).toThrow(StoreError)
  })
})
