import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { encode } from 'gpt-tokenizer/encoding/o200k_base'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mergeRollups } from '../../src/graph/rollups/merge.ts'
import { toolDefinitions } from '../../src/mcp/tool-definitions.ts'
import type { ToolsetName } from '../../src/model/tool.ts'
import { openSqliteWriter } from '../../src/store/sqlite/store-writer.ts'
import { tokenBound } from '../../src/tools/answer/token-bound.ts'
import { ArgumentProblem } from '../../src/tools/arguments/problem.ts'
import { findTool, offeredTools, tools, toolsets } from '../../src/tools/registry.ts'
import { canary, hostileRequests } from './hostile-telemetry.ts'
import { hostileQuestions, questions, window } from './shop-questions.ts'
import { shopEndMs, shopRequests } from './shop-telemetry.ts'
import { type Answer, operator, startTelemetrySystem, type TelemetrySystem } from './telemetry-system.ts'

const tokens = (text: string): number => encode(text).length
const everySet = Object.keys(toolsets) as ToolsetName[] // keys of a const record
const everyTool = offeredTools(everySet)
const folder = new URL('../../src/tools/', import.meta.url)

describe('definitions', () => {
  it('are twelve at most, in a fixed order, and their file is named after them', () => {
    expect(tools.map(tool => tool.name)).toEqual([
      'investigate',
      'root_cause_analysis',
      'impact_analysis',
      'get_service_map',
      'get_service_health',
      'get_anomaly_timeline',
      'search_logs',
      'search_traces',
      'get_trace',
      'query_metrics',
      'compare_windows',
      'diagnose_ingest',
    ])
    const missing = everyTool.filter(
      tool => !existsSync(new URL(`${tool.name.replaceAll('_', '-')}.ts`, folder)),
    )
    expect(missing).toEqual([])
    const files = readdirSync(fileURLToPath(folder)).filter(name => name.endsWith('.ts'))
    const others = ['input-schema.ts', 'registry.ts', 'run-tool.ts', 'tool.ts']
    expect(files.filter(name => !others.includes(name))).toHaveLength(everyTool.length)
    expect(new Set(everyTool.map(tool => tool.name)).size).toBe(everyTool.length)
  })

  it('cost at most 6,000 tokens together, and are the committed ones', () => {
    const list = JSON.stringify({ tools: toolDefinitions() })
    expect(tokens(list)).toBeLessThanOrEqual(6_000)
    const golden = new URL('../mcp/tools-list.json', import.meta.url)
    // `UPDATE_GOLDEN=1 vitest run test/tools/every-tool.test.ts`, then read the diff.
    if (process.env['UPDATE_GOLDEN'] === '1')
      writeFileSync(golden, `${JSON.stringify(JSON.parse(list), null, 2)}\n`)
    expect(JSON.parse(readFileSync(golden, 'utf8'))).toEqual(JSON.parse(list))
  })

  it('are read-only, closed, described in at most 400 characters, and take only what they list', () => {
    for (const tool of toolDefinitions(everySet)) {
      expect(tool.annotations).toEqual({ readOnlyHint: true, openWorldHint: false })
      expect(tool.description?.length ?? 999).toBeLessThanOrEqual(400)
      expect(tool.title?.length ?? 999).toBeLessThanOrEqual(40)
      expect(tool.inputSchema['additionalProperties']).toBe(false)
      expect(tool.outputSchema?.required).toEqual(['answer'])
    }
  })

  it('name the same thing the same way in every tool', () => {
    const types = new Map<string, string>()
    const clashes: string[] = []
    for (const tool of toolDefinitions(everySet)) {
      for (const [name, schema] of Object.entries(tool.inputSchema.properties ?? {})) {
        const { description: _description, ...form } = schema as { readonly description?: string }
        const text = JSON.stringify(form)
        if ((types.get(name) ?? text) !== text) clashes.push(`${tool.name}.${name}`)
        types.set(name, text)
        expect(name).toMatch(/^[a-z][a-z0-9_]*$/)
      }
    }
    expect(clashes).toEqual([])
    const everywhere = toolDefinitions(everySet).map(tool => Object.keys(tool.inputSchema.properties ?? {}))
    expect(everywhere.every(names => names.includes('max_tokens') && names.includes('tenant'))).toBe(true)
    expect(everywhere.filter(names => !names.includes('as_of'))).toHaveLength(1)
  })

  it.each(everyTool.map(tool => tool.name))('%s: every example is valid', name => {
    const tool = findTool(name)
    expect(tool?.examples.length).toBeGreaterThan(0)
    for (const example of tool?.examples ?? []) expect(() => tool?.prepare(example)).not.toThrow()
  })

  it.each(everyTool.map(tool => tool.name))(
    '%s: an unknown argument is refused with the list of valid ones',
    name => {
      const tool = findTool(name)
      const args = { ...tool?.examples[0], max_token: 500 }
      const caught = ((): unknown => {
        try {
          return tool?.prepare(args)
        } catch (error) {
          return error
        }
      })()
      expect(caught).toBeInstanceOf(ArgumentProblem)
      expect(caught).toMatchObject({ code: 'unknown_argument', field: 'max_token' })
      const { remedy } = caught as ArgumentProblem
      expect(remedy.near).toEqual(['max_tokens'])
      expect(remedy.accepted).toEqual(Object.keys(tool?.input.shape ?? {}))
    },
  )
})

describe('answers', () => {
  let system: TelemetrySystem
  /** The same data, and newer data of another hour. */
  let later: TelemetrySystem
  beforeAll(() => {
    system = startTelemetrySystem(shopEndMs)
    system.publish(shopRequests())
    later = startTelemetrySystem(shopEndMs + 7_200_000)
    later.publish(shopRequests())
    later.publish(shopRequests({ faulty: false, startMs: shopEndMs + 3_600_000, from: 1_000 }).slice(0, 9))
  })
  afterAll(async () => {
    await system.close()
    await later.close()
  })

  it.each(questions)(
    '%s %j: answer first, handles, and next calls that are ready to make',
    async (name, args) => {
      const answer = await system.ask(name, args)
      expect(answer.failed).toBe(false)
      expect(Object.keys(JSON.parse(answer.json))[0]).toBe('answer')
      expect(answer.answer.length).toBeGreaterThan(10)
      expect(answer.as_of).toMatch(/^5eed0000-180@2026-01-15T13:00:01Z$/)
      expect(answer.result_id).toMatch(/^[0-9a-f]{16}$/)
      expect(answer.coverage).toBeDefined()
      const next = answer.next ?? []
      expect(next.length).toBeLessThanOrEqual(3)
      for (const call of next) {
        const reply = await system.ask(call.tool, call.arguments)
        expect([call, reply.failed, reply.error]).toEqual([call, false, undefined])
      }
      for (const table of Object.values(answer.tables ?? {}))
        expect(table.rows.every(row => row.length === table.columns.length)).toBe(true)
    },
  )

  it.each(questions.filter(([name]) => name !== 'diagnose_ingest'))(
    '%s %j: the same bytes again at its own as_of, also when newer data lies elsewhere',
    async (name, args) => {
      const first = await system.ask(name, args)
      const again = await later.ask(name, { ...args, as_of: first.as_of })
      expect(again.json).toBe(first.json)
    },
  )

  it('are the same bytes before and after the data is sealed', async () => {
    const sealed = startTelemetrySystem(shopEndMs)
    sealed.publish(shopRequests())
    await sealed.seal()
    for (const [name, args] of questions) {
      const [before, after] = [await system.ask(name, args), await sealed.ask(name, args)]
      expect(after.json).toBe(before.json)
    }
    await sealed.close()
  })

  it('refuses an as_of whose window newer data has reached, with the current one', async () => {
    const first = await system.ask('investigate', window)
    const changed = startTelemetrySystem(shopEndMs + 7_200_000)
    changed.publish(shopRequests())
    changed.publish(shopRequests({ from: 1_000 }).slice(-3))
    const again = await changed.ask('investigate', { ...window, as_of: first.as_of })
    expect(again).toMatchObject({ failed: true, error: { code: 'as_of_superseded', field: 'as_of' } })
    expect(again.error?.['example']).toMatch(/^5eed0000-183@/)
    const relative = await changed.ask('investigate', { as_of: first.as_of })
    expect(relative.error).toMatchObject({ code: 'as_of_needs_absolute_times', field: 'from' })
    const foreign = await changed.ask('investigate', { ...window, as_of: 'ffffffff-1' })
    expect(foreign.error).toMatchObject({ code: 'as_of_superseded' })
    await changed.close()
  })

  it('refuses an as_of from before data of its window was removed or made coarser', async () => {
    const changed = startTelemetrySystem(shopEndMs)
    changed.publish(shopRequests())
    await changed.seal()
    const early = { from: '2026-01-15T09:00:00Z', to: '2026-01-15T09:30:00Z' }
    const first = await changed.ask('get_service_map', window)
    const before = await changed.ask('get_service_map', early)
    const store = openSqliteWriter(changed.file)
    const fine = await store.rollups('default', 0, Number.MAX_SAFE_INTEGER)
    await store.replaceRollups({ remove: fine.map(({ id }) => id), add: mergeRollups(fine, 60) })
    const coarser = await changed.ask('get_service_map', { ...window, as_of: first.as_of })
    expect(coarser.error).toMatchObject({ code: 'as_of_superseded' })
    const second = await changed.ask('get_service_map', window)
    expect(second.as_of).toMatch(/^5eed0000-180\.\d+@/)
    const again = await changed.ask('get_service_map', { ...window, as_of: second.as_of })
    expect(again.json).toBe(second.json)
    await store.removeSegments('traces', Number.MAX_SAFE_INTEGER, 100)
    const removed = await changed.ask('search_traces', { ...window, as_of: second.as_of })
    expect(removed.error).toMatchObject({
      code: 'as_of_superseded',
      example: expect.stringMatching(/^5eed0000-180\.\d+@/),
    })
    const empty = await changed.ask('get_service_map', { ...early, as_of: before.as_of })
    expect(empty.error).toMatchObject({ code: 'as_of_superseded' })
    await store.close()
    await changed.close()
  })

  it('keeps the bound of what an answer costs within 15 % of what it costs', async () => {
    let bound = 0
    let real = 0
    for (const [name, args] of questions) {
      const { json } = await system.ask(name, args)
      bound += tokenBound(json)
      real += tokens(json)
      expect([name, tokenBound(json) / tokens(json) < 1.15]).toEqual([name, true])
    }
    expect(bound / real).toBeLessThan(1.1)
  })

  it('shows nothing to another tenant, and lets only operators name one', async () => {
    const other = { tenant: 'other', principal: 'key-1', operator: false }
    for (const [name, args] of questions) {
      const answer = await system.ask(name, args, other)
      expect(answer.json).not.toMatch(/payment|checkout|frontend|order/)
      const named = await system.ask(name, { ...args, tenant: 'default' }, other)
      expect(named.error).toMatchObject({ code: 'tenant_not_allowed', field: 'tenant' })
    }
    const allowed = await system.ask(
      'get_service_map',
      { ...window, tenant: 'default' },
      { ...operator, tenant: 'other' },
    )
    expect(allowed.json).toContain('payment')
  })

  it('gives five different empty answers, and no next step where there is nothing further', async () => {
    const none = await system.ask('get_service_health', { service: 'chekout' })
    expect(none).toMatchObject({
      failed: true,
      error: { code: 'no_such_entity', did_you_mean: ['checkout'] },
    })
    const empty = await system.ask('search_logs', {
      service: 'payment',
      from: '2026-01-15T12:00:00.100Z',
      to: '2026-01-15T12:00:00.200Z',
    })
    expect(empty).toMatchObject({ failed: false, status: 'nothing_in_window' })
    expect(empty.answer).toMatch(/; other data is stored\.$/)
    const past = await system.ask('search_traces', {
      from: '2025-11-01T00:00:00Z',
      to: '2025-11-02T00:00:00Z',
    })
    expect(past).toMatchObject({ failed: false, status: 'past_retention' })
    const refused = startTelemetrySystem(shopEndMs)
    refused.publish(shopRequests({ faulty: false }))
    refused.counters.push({
      tenant: 'default',
      signal: 'logs',
      transport: 'http',
      requests: 5,
      accepted: 0,
      rejected: 7,
      duplicates: 0,
      refusedRetry: 0,
      invalid: 1,
      lastAcceptedMs: 0,
      lastProblem: 'decode error',
    })
    const dropped = await refused.ask('search_logs', {
      from: '2026-01-15T14:00:00Z',
      to: '2026-01-15T14:10:00Z',
    })
    expect(dropped).toMatchObject({ failed: false, status: 'not_kept' })
    const healthy = await refused.ask('investigate', window)
    expect(healthy).toMatchObject({ failed: false, status: 'healthy', facts: { verdict: 'healthy' } })
    for (const answer of [empty, past, dropped, healthy]) expect(answer.next).toBeUndefined()
    await refused.close()
  })

  it('leads from a metric to traces through its exemplars', async () => {
    const answer = await system.ask('query_metrics', {
      metric: 'http.server.request.duration',
      exemplars: true,
      ...window,
    })
    expect(answer.facts).toMatchObject({ aggregation: 'quantile', unit: 's' })
    const exemplar = answer.tables?.['exemplars']?.rows[0]?.[0]
    expect(answer.next?.[0]).toMatchObject({ tool: 'get_trace', arguments: { trace_id: exemplar } })
  })
})

describe('telemetry written by strangers', () => {
  let system: TelemetrySystem
  beforeAll(() => {
    system = startTelemetrySystem(shopEndMs)
    system.publish(shopRequests())
    system.publish(hostileRequests())
  })
  afterAll(() => system.close())

  const outsideOfUntrusted = (answer: Answer): string => {
    const trimmed = JSON.parse(answer.json) as {
      tables?: Record<string, { columns: string[]; untrusted?: string[]; rows: unknown[][] }>
    }
    for (const table of Object.values(trimmed.tables ?? {})) {
      const open = table.columns.map(column => !table.untrusted?.includes(column))
      table.rows = table.rows.map(row => row.filter((_, at) => open[at]))
    }
    return JSON.stringify(trimmed)
  }

  it('appears only in columns marked untrusted, without characters that act unseen', async () => {
    let seen = 0
    for (const [name, args] of hostileQuestions) {
      const answer = await system.ask(name, { max_tokens: 20_000, ...args })
      expect([name, outsideOfUntrusted(answer).includes(canary)]).toEqual([name, false])
      if (answer.json.includes(canary)) seen++
      const text = JSON.stringify(JSON.parse(answer.json), (_key, value: unknown) =>
        typeof value === 'string' ? value.replace(/[\n\t]/g, ' ') : value,
      )
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|\p{Variation_Selector}|\\u00[01]/u)
    }
    expect(seen).toBeGreaterThan(3)
  })

  it('is flagged where it speaks to an agent, and its secrets are masked', async () => {
    const answer = await system.ask('search_logs', { query: 'instructions', max_tokens: 20_000, ...window })
    expect(answer.json).toContain('[reads like an instruction]')
    const secret = await system.ask('search_logs', { query: 'login', max_tokens: 20_000, ...window })
    expect(secret.json).toContain('[masked')
    expect(secret.json).not.toContain('hunter2hunter2')
  })

  it.each([300, 400, 700, 1_500, 4_000])('keeps %i tokens whatever it holds', async maxTokens => {
    for (const [name, args] of hostileQuestions) {
      const { json, failed } = await system.ask(name, { ...args, max_tokens: maxTokens })
      expect([name, failed, tokens(json) <= maxTokens]).toEqual([name, false, true])
    }
  })

  it('says what it left out, how many, and where it goes on', async () => {
    const answer = await system.ask('search_logs', { ...window, max_tokens: 500 })
    const shown = answer.tables?.['lines']?.rows.length ?? 0
    const left = answer.omitted?.find(entry => entry.table === 'lines')
    expect(shown).toBeGreaterThan(0)
    expect(left?.rows).toBeGreaterThan(100)
    const more = await system.ask('search_logs', { ...window, max_tokens: 500, cursor: left?.cursor })
    expect(more.tables?.['lines']?.rows[0]).not.toEqual(answer.tables?.['lines']?.rows[0])
    const altered = `${left?.cursor?.slice(0, -1)}${left?.cursor?.endsWith('0') ? '1' : '0'}`
    const refused = await system.ask('search_logs', { ...window, cursor: altered })
    expect(refused.error).toMatchObject({ code: 'invalid_cursor', field: 'cursor' })
    const stranger = await system.ask(
      'search_logs',
      { ...window, cursor: left?.cursor },
      { ...operator, principal: 'key-9' },
    )
    expect(stranger.error).toMatchObject({ code: 'invalid_cursor' })
  })

  it('pages through lines by relevance, each once, as one long page has them', async () => {
    const asked = { query: 'card OR order', by_relevance: true, max_tokens: 20_000, ...window }
    const linesOf = (answer: Awaited<ReturnType<typeof system.ask>>): readonly unknown[] =>
      answer.tables?.['lines']?.rows ?? []
    const whole = await system.ask('search_logs', { ...asked, limit: 12 })
    expect(whole.answer).toContain('the most relevant of the newest')
    expect(linesOf(whole)).toHaveLength(12)
    const first = await system.ask('search_logs', { ...asked, limit: 6 })
    const { cursor } = first.omitted?.find(entry => entry.table === 'lines') ?? {}
    const second = await system.ask('search_logs', { ...asked, limit: 6, cursor })
    expect([...linesOf(first), ...linesOf(second)]).toEqual(linesOf(whole))
  })

  it('never breaks an answer, whatever the arguments are', async () => {
    const anything = fc.dictionary(
      fc.constantFrom(
        'service',
        'query',
        'from',
        'to',
        'limit',
        'cursor',
        'trace_id',
        'as_of',
        'metric',
        'severity',
        'operation',
        'attributes',
        'q',
        'step_s',
        'depth',
        'scenario',
        'template_id',
        'signal',
      ),
      fc.oneof(
        fc.string({ maxLength: 40 }),
        fc.integer(),
        fc.double(),
        fc.constant(null),
        fc.array(fc.string()),
        fc.constantFrom('now', '-1h', 'payment', 'error'),
      ),
      { maxKeys: 4 },
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...everyTool.map(tool => tool.name)), anything, async (name, args) => {
        const answer = await system.ask(name, args)
        expect(answer.answer.length).toBeGreaterThan(0)
        if (answer.failed) expect(answer.error?.['code']).toMatch(/^[a-z_]+$/)
      }),
      { numRuns: 150 },
    )
  })
})
