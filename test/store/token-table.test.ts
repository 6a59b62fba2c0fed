/** Words of a segment are one and the same whether they come as bytes to be folded or as they are. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { TokenTable } from '../../src/store/segment/token-table.ts'
import { viewOf } from '../../src/store/segment/words.ts'

const letters = [...'abcxyzABCXYZ0189']
const runs = fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: 45 }).map(run => run.join(''))

function bytesOf(table: TokenTable, token: number): string {
  return Buffer.from(table.bytes.subarray(table.startOf(token), table.startOf(token + 1))).toString()
}

it('a run of letters and digits is its lower case, cut at 40, at whatever place it stands', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(runs, fc.nat({ max: 3 })), { minLength: 1, maxLength: 40 }), all => {
      const table = new TokenTable()
      const numbers = new Map<string, number>()
      for (const [run, place] of all) {
        const bytes = Buffer.from(`${'-'.repeat(place)}${run}-`)
        const token = table.addFolded(viewOf(bytes), place, place + run.length, 0)
        const folded = run.toLowerCase().slice(0, 40)
        expect(bytesOf(table, token)).toBe(folded)
        expect(token).toBe(numbers.get(folded) ?? numbers.size)
        numbers.set(folded, token)
        const plain = Buffer.from(folded)
        expect(table.add(plain, 0, plain.length, 0)).toBe(token)
      }
      const words = Array.from(table.sorted(), token => bytesOf(table, token))
      expect(words).toEqual([...numbers.keys()].sort())
    }),
  )
})
