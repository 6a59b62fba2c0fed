import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { verifyData } from '../../../src/engine/verify/verify-data.ts'
import { openPostgresReader } from '../../../src/store/postgres/store-reader.ts'
import { openPostgresWriter } from '../../../src/store/postgres/store-writer.ts'
import { makeDatabase } from '../../store/postgres/test-database.ts'
import { shopEndMs, shopRequests } from '../../tools/shop-telemetry.ts'
import { startTelemetrySystem } from '../../tools/telemetry-system.ts'

test('verify reads everything in Postgres, and names a segment whose bytes have changed there', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'otelcontext-verify-'))
  const database = await makeDatabase()
  const system = startTelemetrySystem(shopEndMs, {
    writer: await openPostgresWriter(database.location),
    reader: openPostgresReader(database.location),
    remove: () => database.drop(),
  })
  try {
    system.publish(shopRequests())
    await system.seal()
    const places = {
      store: database.location,
      inboxFile: join(directory, 'inbox.db'),
      deadLetterDirectory: join(directory, 'dlq'),
    }
    const sound = await verifyData(places, () => undefined)
    expect(sound).toMatchObject({ sound: true, findings: [] })
    expect(sound.store?.items).toBeGreaterThan(500)
    expect(sound.store?.rollups).toBeGreaterThan(0)
    expect(sound.store?.name).not.toContain('secret')
    const [row] = await database.run('SELECT sequence, id FROM otelcontext.segment ORDER BY sequence LIMIT 1')
    await database.run(
      `UPDATE otelcontext.segment_data SET bytes = set_byte(bytes, 9, get_byte(bytes, 9) # 1)
       WHERE sequence = ${row?.['sequence']}`,
    )
    const damaged = await verifyData(places, () => undefined)
    expect(damaged.sound).toBe(false)
    expect(damaged.findings.map(finding => finding.name)).toEqual([
      expect.stringContaining(String(row?.['id'])),
    ])
  } finally {
    await system.close()
    rmSync(directory, { recursive: true, force: true })
  }
})
