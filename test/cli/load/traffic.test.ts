import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { callPlan } from '../../../src/cli/load/call-plan.ts'
import { itemKeys } from '../../../src/cli/load/item-keys.ts'
import { defaultProfile, type LoadProfile, type SignalPlan } from '../../../src/cli/load/load-profile.ts'
import { rareWord } from '../../../src/cli/load/log-requests.ts'
import { createTraffic, roundOf, type Traffic } from '../../../src/cli/load/traffic.ts'
import { type Signal, type SpanBlock, signals } from '../../../src/model/telemetry.ts'
import { toNs } from '../../../src/model/time.ts'
import { decodeBatch } from '../../../src/otlp/decode-batch.ts'
import { transcodeJson } from '../../../src/otlp/json/transcode-json.ts'

const startNs = 1_790_000_000_000_000_000n
const planOf = (signal: Signal, items: number): SignalPlan => ({
  signal,
  items,
  spanMs: 5_000,
  patience: 0.2,
})

function bodies(traffic: Traffic, profile: LoadProfile, round: number): readonly Buffer[] {
  const filled = roundOf(profile, traffic.plan.signal, round, startNs + BigInt(round) * 5_000_000_000n)
  return traffic.templates.map(template => template.fill(filled))
}

function spanBlocks(profile: LoadProfile, items: number, round = 0): readonly SpanBlock[] {
  const traffic = createTraffic(profile, planOf('traces', items), 'protobuf')
  return bodies(traffic, profile, round).map(body => {
    const { block, refusals } = decodeBatch('traces', body, { receivedMs: 0, attributeMaxBytes: 65_536 })
    expect(refusals).toEqual([])
    if (block.signal !== 'traces') throw new Error('not spans')
    return block
  })
}

describe('the traffic of a load', () => {
  it('is the same in both encodings, whatever seed, signal and round', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(2 ** 31),
          services: fc.integer({ min: 1, max: 12 }),
          attributes: fc.integer({ min: 0, max: 14 }),
          batch: fc.integer({ min: 1, max: 120 }),
          batchBy: fc.constantFrom('service' as const, 'collector' as const),
        }),
        fc.constantFrom(...signals),
        fc.nat(1_000),
        (shape, signal, round) => {
          const profile = { ...defaultProfile, ...shape, edges: shape.services * 2, metricSeries: 10 }
          const plan = planOf(signal, 120)
          const json = bodies(createTraffic(profile, plan, 'json'), profile, round)
          const protobuf = bodies(createTraffic(profile, plan, 'protobuf'), profile, round)
          expect(json.length).toBeGreaterThan(0)
          expect(json.map(body => Buffer.from(transcodeJson(signal, body)))).toEqual(protobuf)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('repeats no id from one round to the next', () => {
    for (const signal of signals) {
      const traffic = createTraffic(defaultProfile, planOf(signal, 2_000), 'json')
      const keys = [0, 1, 2].flatMap(round =>
        bodies(traffic, defaultProfile, round).flatMap(body => itemKeys(body.toString())),
      )
      expect(keys.length).toBeGreaterThan(2_000)
      expect(new Set(keys).size).toBe(keys.length)
    }
  })

  it('has whole traces: every parent is there, in the same trace, and began no later', () => {
    const starts = new Map<string, bigint>()
    const hex = (bytes: Uint8Array, row: number, width: number): string =>
      Buffer.from(bytes.subarray(row * width, row * width + width)).toString('hex')
    const children: { readonly parent: string; readonly startNs: bigint }[] = []
    for (const block of spanBlocks(defaultProfile, 3_000, 2)) {
      for (let row = 0; row < block.count; row++) {
        const trace = hex(block.traceId, row, 16)
        const start = toNs(block.startHi[row] ?? 0, block.startLo[row] ?? 0)
        starts.set(`${trace} ${hex(block.spanId, row, 8)}`, start)
        const parent = hex(block.parentSpanId, row, 8)
        if (/[1-9a-f]/.test(parent)) children.push({ parent: `${trace} ${parent}`, startNs: start })
      }
    }
    expect(children.length).toBeGreaterThan(1_000)
    expect(children.filter(child => (starts.get(child.parent) ?? 2n ** 63n) > child.startNs)).toEqual([])
  })

  it('uses every service and every edge of a large plan within one round', () => {
    const profile = { ...defaultProfile, services: 100, edges: 1_000 }
    const plan = callPlan(profile)
    const calls = new Set<string>()
    for (const block of spanBlocks(profile, 6_000)) {
      for (let row = 0; row < block.count; row++) {
        if (block.kind[row] !== 3) continue
        const caller = block.resources[block.resource[row] ?? 0]?.service
        calls.add(`${caller} ${block.strings[block.peer[row] ?? 0]}`)
      }
    }
    expect(plan.callees.flat().length).toBe(1_000)
    const all = plan.callees.flatMap((callees, caller) =>
      callees.map(callee => `${plan.services[caller]} ${plan.services[callee]}.internal:8080`),
    )
    expect(all.filter(call => !calls.has(call))).toEqual([])
  })

  it('has a word that is rare, and stands in log lines only so often', () => {
    const traffic = createTraffic(defaultProfile, planOf('logs', 20_000), 'json')
    const text = bodies(traffic, defaultProfile, 0).join('\n')
    expect(text.split(rareWord).length - 1).toBe(1)
  })
})
