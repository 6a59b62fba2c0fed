/** What a simulation shares: time, chance, the disks that outlive processes, and the findings. */
import { type SeededChoice, seededChoice } from '../seeded-choice.ts'
import { type FaultPlan, planFaults } from './fault-plan.ts'
import { ModelInboxDisk } from './model-inbox.ts'
import { ModelStoreDisk } from './model-store.ts'
import { VirtualTime, WallClock } from './virtual-time.ts'

const epochMs = 1_700_000_000_000

/** Broken on purpose, to see that it is found. */
export type PlantedBug = 'lost commits' | 'forgotten requests' | 'position first'

export class World {
  readonly time: VirtualTime = new VirtualTime()
  readonly wall: WallClock = new WallClock(this.time, epochMs)
  readonly choice: SeededChoice
  readonly faults: FaultPlan
  readonly inboxDisk: ModelInboxDisk = new ModelInboxDisk()
  readonly storeDisk: ModelStoreDisk = new ModelStoreDisk()
  readonly findings: string[] = []
  readonly counts: Record<string, number> = {}
  /** Off once the simulation only waits for the system to come to rest. */
  faulty = true

  readonly planted: PlantedBug | null

  constructor(seed: number, planted: PlantedBug | null = null) {
    this.planted = planted
    this.inboxDisk.forgetsRequests = planted === 'forgotten requests'
    this.storeDisk.positionFirst = planted === 'position first'
    this.choice = seededChoice(seed)
    this.faults = planFaults(this.choice)
  }

  /** While faults are on. */
  chance(share: number): boolean {
    return this.faulty && share > 0 && this.choice.chance(share)
  }

  /** Up to `limitMs`, short more often than long. */
  delay(limitMs: number): number {
    const share = this.choice.next()
    return limitMs * share * share
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1
  }

  find(what: string): void {
    this.findings.push(`at ${Math.round(this.time.nowMs)} ms: ${what}`)
  }

  /** Calls `run` again and again, `meanMs` apart on average, until faults are over; never if it is 0. */
  strike(meanMs: number, run: () => void): void {
    if (meanMs === 0) return
    this.time.after(2 * meanMs * this.choice.next(), () => {
      if (!this.faulty) return
      run()
      this.strike(meanMs, run)
    })
  }
}
