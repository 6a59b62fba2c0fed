import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { mountFactory } from '../../src/mcp/http.ts'
import { runRequirements } from './conformance-suite.ts'
import { fixtureFactory } from './fixture-factory.ts'
import { listen, type McpServer } from './mcp-server.ts'

let server: McpServer
beforeAll(async () => {
  server = await listen(mountFactory(fixtureFactory, createLogger('silent')))
})
afterAll(() => server.close())

/** Left out on purpose: what the product does not do, by what it would need. */
const leftOut: Readonly<Record<string, readonly RegExp[]>> = {
  'answers never ask the client for input, a model or its files': [
    /^input-required-result-/,
    /^elicitation-/,
    /^tools-call-(sampling|elicitation)$/,
  ],
  'stateless serving keeps no subscriptions of the 2025 kind': [/^resources-(un)?subscribe$/],
}

/** Scenarios whose only check is a recommendation for servers with sessions. */
const withoutChecks = new Set(['server-sse-multiple-streams'])

/** `server:` of the requirements of a revision. */
function requiredScenarios(version: string): readonly string[] {
  const file = new URL(
    `../../node_modules/@modelcontextprotocol/conformance/requirements/${version}.yaml`,
    import.meta.url,
  )
  const block = /^server:\n((?: {2}- .*\n)+)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? ''
  return block
    .trim()
    .split('\n')
    .map(line => line.replace(/^\s*- /, ''))
}

describe('the transport passes what the suite requires of it', () => {
  it.each([
    ['2026-07-28', 23],
    ['2025-11-25', 24],
  ])('of %s, in %i scenarios, but for the features left out', async (version, count) => {
    const excluded = Object.values(leftOut).flat()
    const wanted = requiredScenarios(version).filter(name => !excluded.some(pattern => pattern.test(name)))
    expect(wanted).toHaveLength(count)
    const results = await runRequirements(server.url, version)
    for (const scenario of wanted) {
      const { passed = 0, failed = 1 } = results.get(scenario) ?? {}
      const checked = passed > 0 || withoutChecks.has(scenario)
      expect([scenario, failed, checked]).toEqual([scenario, 0, true])
    }
  })
})
