/** Much stored data, made once by a real server at full rate and kept for the next run. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LoadProfile } from '../../src/cli/load/load-profile.ts'
import { blockVersion } from '../../src/graph/rollups/encode.ts'
import type { Signal } from '../../src/model/telemetry.ts'
import { formatVersion } from '../../src/store/part.ts'
import { schemaVersion } from '../../src/store/sqlite/schema.ts'
import { benchProfile, offer } from './offer.ts'
import { startWhole } from './subjects.ts'

export interface StoredDataPlan {
  readonly name: string
  readonly items: Readonly<Partial<Record<Signal, number>>>
  readonly profile?: LoadProfile
  /** Item times reach from so long before its making until then. */
  readonly sinceMs: number
}

export interface StoredData {
  readonly directory: string
  readonly databaseFile: string
  /** When the last item was sent, milliseconds since the epoch. */
  readonly untilMs: number
  readonly sinceMs: number
}

interface Done {
  readonly untilMs: number
}

/** The data of a plan below `root`; what an earlier run left half made is made again. */
export async function storedData(root: string, plan: StoredDataPlan): Promise<StoredData> {
  const size = Object.entries(plan.items).map(([signal, items]) => `${signal}-${items}`)
  // Data in another format than today's is made again.
  const format = `s${schemaVersion}.${formatVersion}.${blockVersion}`
  const directory = join(root, [plan.name, ...size, format].join('-'))
  const doneFile = join(directory, 'bench-done.json')
  if (!existsSync(doneFile)) {
    rmSync(directory, { recursive: true, force: true })
    mkdirSync(directory, { recursive: true })
    const server = await startWhole({ dataDirectory: directory })
    try {
      for (const [signal, items] of Object.entries(plan.items) as [Signal, number][]) {
        await offer(server, {
          signal,
          items,
          seconds: 3_600,
          sinceMs: plan.sinceMs,
          profile: plan.profile ?? benchProfile,
          roundItems: roundItems(signal, items, plan.profile ?? benchProfile),
        })
      }
      await server.settled()
    } finally {
      await server.finish()
    }
    writeFileSync(doneFile, JSON.stringify({ untilMs: Date.now() } satisfies Done))
  }
  const { untilMs } = JSON.parse(readFileSync(doneFile, 'utf8')) as Done // written above
  return { directory, databaseFile: join(directory, 'otelcontext.db'), untilMs, sinceMs: plan.sinceMs }
}

/** Large enough that every edge is in it, small enough that times are spread evenly. */
function roundItems(signal: Signal, items: number, profile: LoadProfile): number {
  const least =
    signal === 'traces'
      ? Math.max(profile.edges * 3, 5_000)
      : signal === 'metrics'
        ? profile.services * profile.metricSeries
        : 20_000
  return Math.min(items, least)
}
