import { describe, expect, it } from 'vitest'
import { renderColumns } from '../../src/cli/columns.ts'

describe('text tables', () => {
  it('align numbers right and texts left', () => {
    expect(
      renderColumns(
        ['service', 'per_s'],
        [
          ['a', 1.5],
          ['longer', 120],
        ],
      ),
    ).toBe('service  per_s\na          1.5\nlonger     120')
  })

  it('show what is missing as a dash and cut what is too long', () => {
    expect(renderColumns(['x', 'y'], [[null, 'abcdefghij']], 5)).toBe('x  y\n-  abcd…')
  })

  it('never pass control characters to the terminal', () => {
    expect(renderColumns(['x'], [['a\u001b[31mred\u0007']])).toBe('x\na [31mred')
  })
})
