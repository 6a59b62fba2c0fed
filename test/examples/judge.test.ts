/** The judge and the command line around it, as processes, the way the demo runs them. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { askJudge } from '../../examples/shop/orchestration/ask-judge.ts'
import { scenarios } from '../../examples/shop/orchestration/scenarios.ts'

const shop = fileURLToPath(new URL('../../examples/shop/', import.meta.url))

function answerOf(verdict: string, causes: readonly (readonly [string, string, number])[]): string {
  return JSON.stringify({
    answer: 'a sentence',
    facts: { verdict },
    tables: { causes: { columns: ['service', 'kind', 'score'], rows: causes } },
  })
}

describe('the judge', () => {
  it('accepts the true service with an accepted kind and a firm verdict, whatever comes after it', async () => {
    const answer = answerOf('confirmed', [
      ['payment', 'failing', 0.9],
      ['gateway', 'failing', 0.4],
    ])
    expect(await askJudge('errors', answer)).toEqual({ right: true, why: 'as it should be' })
  })

  it.each([
    [
      'another first cause',
      answerOf('confirmed', [
        ['gateway', 'failing', 0.9],
        ['payment', 'failing', 0.8],
      ]),
    ],
    ['another kind', answerOf('confirmed', [['payment', 'slow', 0.9]])],
    ['a verdict that is not firm', answerOf('inconclusive', [['payment', 'failing', 0.9]])],
    ['no cause', answerOf('healthy', [])],
  ])('refuses %s', async (_what, answer) => {
    expect((await askJudge('errors', answer)).right).toBe(false)
  })

  it('accepts nothing but health where nothing is wrong', async () => {
    expect((await askJudge('none', answerOf('healthy', []))).right).toBe(true)
    expect((await askJudge('restart', answerOf('likely', []))).right).toBe(false)
    expect((await askJudge('double-traffic', answerOf('healthy', [['cart', 'slow', 0.5]]))).right).toBe(false)
  })

  it('knows every scenario', async () => {
    const judgements = await Promise.all(scenarios.map(({ name }) => askJudge(name, answerOf('', []))))
    expect(judgements.map(({ right }) => right)).toEqual(scenarios.map(() => false))
  })

  it('is the only one that opens the truth', () => {
    const files = readdirSync(shop, { recursive: true, encoding: 'utf8' }).filter(name =>
      name.endsWith('.ts'),
    )
    const naming = files.filter(name => readFileSync(join(shop, name), 'utf8').includes("'./faults.json'"))
    expect(naming).toEqual(['judge.ts'])
  })
})

describe('the command line', () => {
  const run = (file: string, ...args: string[]) =>
    spawnSync(process.execPath, [join(shop, file), ...args], { encoding: 'utf8' })

  it('lists what can happen', () => {
    const { status, stdout } = run('demo.ts', '--list')
    expect(status).toBe(0)
    expect(
      stdout
        .trim()
        .split('\n')
        .map(line => line.split(' ')[0]),
    ).toEqual(scenarios.map(({ name }) => name))
  })

  it('refuses what it does not know with exit code 2, and says what there is', () => {
    for (const args of [
      ['--fault', 'gremlins'],
      ['--nonsense'],
      ['--duration', 'soon'],
      ['--transport', 'smoke'],
    ]) {
      const { status, stderr } = run('demo.ts', ...args)
      expect([args, status]).toEqual([args, 2])
      expect(stderr).toContain('npm run demo')
    }
    expect(run('demo.ts', '--fault', 'gremlins').stderr).toContain('dependency-down')
    expect(run('faults.ts', '--only', 'gremlins').status).toBe(2)
  })
})
