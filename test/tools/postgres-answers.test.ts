import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exportTelemetry } from '../../src/query/export.ts'
import { openPostgresReader } from '../../src/store/postgres/store-reader.ts'
import { openPostgresWriter } from '../../src/store/postgres/store-writer.ts'
import { makeDatabase } from '../store/postgres/test-database.ts'
import { hostileRequests } from './hostile-telemetry.ts'
import { hostileQuestions } from './shop-questions.ts'
import { shopEndMs, shopRequests, shopStartMs } from './shop-telemetry.ts'
import { startTelemetrySystem, type TelemetrySystem } from './telemetry-system.ts'

async function onPostgres(): Promise<TelemetrySystem> {
  const database = await makeDatabase()
  return startTelemetrySystem(shopEndMs, {
    writer: await openPostgresWriter(database.location),
    reader: openPostgresReader(database.location),
    remove: () => database.drop(),
  })
}

describe('the same telemetry on SQLite and on Postgres', () => {
  const systems: TelemetrySystem[] = []

  beforeAll(async () => {
    systems.push(startTelemetrySystem(shopEndMs), await onPostgres())
    for (const system of systems) {
      const shop = shopRequests()
      system.publish(shop.slice(0, 100))
      system.publish(hostileRequests())
      await system.seal()
      system.publish(shop.slice(100))
    }
  })

  afterAll(async () => {
    for (const system of systems) await system.close()
  })

  it.each(hostileQuestions)('%s %j: the same bytes', async (tool, args) => {
    const [sqlite, postgres] = await Promise.all(systems.map(system => system.ask(tool, args)))
    expect(sqlite?.failed).toBe(false)
    expect(postgres?.json).toBe(sqlite?.json)
  })

  it('export: the same lines', async () => {
    const [sqlite, postgres] = await Promise.all(
      systems.map(async system => {
        const reader = await system.open('default')
        const lines: string[] = []
        await exportTelemetry(
          reader,
          {
            signals: ['traces', 'logs', 'metrics'],
            range: { fromMs: shopStartMs, toMs: shopEndMs },
            service: '',
            traceId: '',
          },
          { signal: new AbortController().signal, check: () => undefined },
          async line => void lines.push(line),
        )
        await reader.release()
        return lines
      }),
    )
    expect(sqlite?.length).toBeGreaterThan(3)
    expect(postgres).toEqual(sqlite)
  })
})
