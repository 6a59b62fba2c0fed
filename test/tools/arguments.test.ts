import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nearMatches } from '../../src/tools/arguments/near-matches.ts'
import { ArgumentProblem } from '../../src/tools/arguments/problem.ts'
import { formatTime, parseTime } from '../../src/tools/arguments/time-argument.ts'
import { resolveBaseline, resolveWindow } from '../../src/tools/arguments/window.ts'

const now = Date.UTC(2026, 0, 31, 12, 0, 0)

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    return error instanceof ArgumentProblem ? error.code : 'another error'
  }
  return 'taken'
}

describe('times', () => {
  it.each([
    ['now', now],
    ['now-15m', now - 900_000],
    ['-2h', now - 7_200_000],
    ['-7d', now - 7 * 86_400_000],
    ['now-30s', now - 30_000],
    ['2026-01-31T12:00:00Z', now],
    ['2026-01-31T13:00:00+01:00', now],
    ['2026-01-31t12:00:00.250z', now + 250],
    ['2026-01-31 12:00:00.123456789Z', now + 123],
    ['1769860800', now],
    ['1769860800000', now],
    [1_769_860_800, now],
    [1_769_860_800_000, now],
    [' now ', now],
  ])('%s is taken', (text, ms) => {
    expect(parseTime('from', text, now).ms).toBe(ms)
  })

  it.each([
    ['2026-01-31', 'ambiguous_time'],
    ['2026-01-31T12:00:00', 'ambiguous_time'],
    ['2026-01-31 12:00', 'ambiguous_time'],
    ['1769860800000000', 'ambiguous_time'],
    ['1769860800000000000', 'ambiguous_time'],
    ['42', 'ambiguous_time'],
    [20_260_131, 'ambiguous_time'],
    ['2026-02-30T12:00:00Z', 'invalid_time'],
    ['2026-01-31T25:00:00Z', 'invalid_time'],
    ['31.01.2026', 'invalid_time'],
    ['01/02/2026', 'invalid_time'],
    ['yesterday', 'invalid_time'],
    ['15m', 'invalid_time'],
    ['now+5m', 'invalid_time'],
    ['-1.5h', 'invalid_time'],
    ['-5M', 'invalid_time'],
    ['', 'invalid_time'],
    [-1, 'invalid_time'],
    [Number.NaN, 'invalid_time'],
    [Number.POSITIVE_INFINITY, 'invalid_time'],
  ])('%s is refused as %s', (text, code) => {
    expect(codeOf(() => parseTime('from', text, now))).toBe(code)
  })

  it('are written so that they read back to the same millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), ms => {
        expect(parseTime('from', formatTime(ms), now).ms).toBe(ms)
      }),
    )
  })

  it('are refused with a reason or taken, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), text => {
        expect(['taken', 'ambiguous_time', 'invalid_time']).toContain(
          codeOf(() => parseTime('from', text, now)),
        )
      }),
    )
  })
})

describe('windows', () => {
  it('are half an hour up to the next whole second by default', () => {
    expect(resolveWindow({}, now + 1)).toEqual({ fromMs: now + 1_000 - 1_800_000, toMs: now + 1_000 })
    expect(resolveWindow({ to: '-1h' }, now)).toEqual({ fromMs: now - 5_400_000, toMs: now - 3_600_000 })
  })

  it.each([[{ from: 'now', to: '-1h' }], [{ from: '-1h', to: '-1h' }], [{ from: '-400d' }]])(
    '%j is refused',
    args => {
      expect(codeOf(() => resolveWindow(args, now))).toBe('invalid_window')
    },
  )

  it.each([
    [{ from: now + 3_602_000 }, 'invalid_window'],
    [{ to: now + 3_602_000 + 1_800_000 }, 'invalid_window'],
    // Clocks of senders that run ahead are believed for an hour.
    [{ from: now + 3_599_000, to: now + 7_200_000 }, 'taken'],
    [{ from: '-1h', to: now + 86_400_000 }, 'taken'],
  ])('that begin in the future, as %j, are refused', (args, code) => {
    expect(codeOf(() => resolveWindow(args, now))).toBe(code)
  })

  it('need both ends of a baseline, or none', () => {
    expect(resolveBaseline({}, now)).toBeNull()
    expect(codeOf(() => resolveBaseline({ baseline_from: '-2h' }, now))).toBe('missing_argument')
    expect(resolveBaseline({ baseline_from: '-2h', baseline_to: '-1h' }, now)).toEqual({
      fromMs: now - 7_200_000,
      toMs: now - 3_600_000,
    })
  })
})

describe('near matches', () => {
  const names = ['checkout', 'cart', 'catalog', 'payment', 'payment-gateway', 'recommendation']

  it.each([
    ['chekout', ['checkout']],
    ['Checkout', ['checkout']],
    ['checkuot', ['checkout']],
    ['payments', ['payment']],
    ['gateway', ['payment-gateway']],
    ['catalogue', ['catalog']],
    ['zzzzzz', []],
  ])('of %s are %j', (name, near) => {
    expect(nearMatches(name, names).slice(0, near.length || 3)).toEqual(near)
  })

  it('take bounded time over endless and enormous names', () => {
    const endless = Array.from({ length: 100_000 }, (_, at) => `${'x'.repeat(1_000)}${at}`)
    expect(nearMatches('y'.repeat(100_000), endless)).toEqual([])
  })
})
