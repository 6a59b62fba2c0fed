import fc from 'fast-check'
import { expect, it } from 'vitest'
import { TenantGraph } from '../../src/graph/tenant-graph.ts'
import { decodeBatch } from '../../src/otlp/decode-batch.ts'
import { buildSegments, type SegmentEntry } from '../../src/store/segment/build-segments.ts'
import { logRequest } from '../otlp/request-builder.ts'
import { receivedMs, requests } from './arbitrary-requests.ts'

const context = { receivedMs, attributeMaxBytes: 65_536 }

/** Requests as the engine counts them, with what was found in their lines. */
function counted(bodies: readonly Uint8Array[]): readonly SegmentEntry[] {
  const graph = new TenantGraph({ tenant: 'acme', templates: [] })
  return bodies.map((body, index) => {
    const batch = decodeBatch('logs', body, context)
    return { position: index + 1, receivedMs, batch, ...graph.ingest(batch, receivedMs) }
  })
}

function partsOf(entries: readonly SegmentEntry[]): readonly (readonly [string, string])[] {
  return buildSegments({ tenant: 'acme', signal: 'logs', inboxId: 'ab'.repeat(16), entries }).flatMap(
    ({ parts }) => [...parts].map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')] as const),
  )
}

const line = fc.oneof(
  { arbitrary: fc.nat(5_000).map(n => `order ${n} took ${n % 7} ms`), weight: 8 },
  { arbitrary: fc.nat(5_000).map(n => `${n} of user-${n} failed: 10.0.0.${n % 256}:5432`), weight: 8 },
  { arbitrary: fc.nat(9).map(n => `größe ${n}`), weight: 1 },
  { arbitrary: fc.string({ maxLength: 30 }), weight: 1 },
)

it('gives the same bytes whether lines were looked at when they came or not', () => {
  let marked = 0
  const request = fc
    .array(line, { minLength: 10, maxLength: 40 })
    .map(lines =>
      logRequest(
        lines.map((text, at) => ({ timeUnixNano: `${receivedMs + at}000000`, body: { stringValue: text } })),
      ),
    )
  fc.assert(
    fc.property(fc.array(fc.oneof(request, requests.logs), { minLength: 1, maxLength: 6 }), bodies => {
      const entries = counted(bodies)
      for (const { lines } of entries) for (const shape of lines?.shape ?? []) if (shape > 0) marked++
      const bare = entries.map(({ lines: _, ...entry }) => entry)
      expect(partsOf(entries)).toEqual(partsOf(bare))
    }),
    { numRuns: 150 },
  )
  expect(marked).toBeGreaterThan(1_000)
})
