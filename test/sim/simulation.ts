/**
 * One seed: senders, network, server, crashes and repair in one process under virtual time, judged all along and
 * once more when the faults are over.
 *
 * Held: what is acknowledged can be queried or lies in the inbox, nothing twice, every tenant its own, the books
 * balance, memory and files stay within their bounds, and all work is done soon after the faults end.
 */
import { decodeRow } from '../../src/engine/inbox/inbox-row.ts'
import { readInvariant } from '../../src/engine/sealing/invariant.ts'
import { type Signal, signals } from '../../src/model/telemetry.ts'
import type { OpenReader } from '../../src/query/telemetry-reader.ts'
import { SimLedger, SimulatedClient } from './simulated-client.ts'
import { SimulatedServer } from './simulated-server.ts'
import { type PlantedBug, World } from './world.ts'

export interface SimulationResult {
  readonly seed: number
  /** Empty if all held. */
  readonly findings: readonly string[]
  /** What happened, by name. */
  readonly counts: Readonly<Record<string, number>>
}

const tenants = ['acme', 'globex']
const faultsMs = 6_000
/** Longer than every retry time of the server together; far shorter than being stuck. */
const restMs = 120_000
const maxEvents = 400_000
/** Time the repaired machine takes to start the process again. */
const restartMs = 120
/** Nothing of these small loads may come near the engine's own bounds. */
const maxTailBytes = 1024 * 1024

export async function simulate(seed: number, planted?: PlantedBug): Promise<SimulationResult> {
  const simulation = new Simulation(seed, planted ?? null)
  await simulation.run()
  const { findings, counts } = simulation.world
  return { seed, findings, counts }
}

class Simulation {
  readonly world: World
  readonly #ledger = new SimLedger()
  readonly #clients: SimulatedClient[] = []
  #server: SimulatedServer | null = null
  /** Accepts requests. */
  #ready: SimulatedServer | null = null
  #servers = 0
  #reading = false
  /** Of the engine with this number; each starts with less than the one before had read. */
  #newestRead = { position: 0, engine: '' }

  constructor(seed: number, planted: PlantedBug | null) {
    this.world = new World(seed, planted)
    let firstSeed = 1
    for (const tenant of tenants)
      for (const signal of signals) {
        const requests = 2 + this.world.choice.below(5)
        const server = () => this.#ready
        const { world } = this
        this.#clients.push(
          new SimulatedClient({ world, ledger: this.#ledger, tenant, signal, firstSeed, requests, server }),
        )
        firstSeed += requests
      }
  }

  async run(): Promise<void> {
    const { world } = this
    const { time, faults } = world
    for (const client of this.#clients) time.after(world.delay(200), () => client.start())
    this.#boot()
    world.strike(faults.engineDeathMs, () => this.#killEngine())
    world.strike(faults.stopMs, () => this.#stopServer())
    world.strike(faults.fullDiskMs, () => this.#fillDisk())
    world.strike(faults.clockJumpMs, () => this.#jump())
    world.strike(250, () => this.#read())
    world.strike(700, () => void this.#server?.compact())
    try {
      await time.run({ ms: faultsMs, maxEvents, done: () => false })
      this.#endFaults()
      const limit = time.nowMs + restMs
      const rested = await time.run({ ms: limit, maxEvents, done: () => this.#isAtRest() })
      if (!rested) this.#explainUnrest()
      else await this.#settle()
    } catch (error) {
      world.find(error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
  }

  #boot(): void {
    const { world } = this
    const server = new SimulatedServer(world, ++this.#servers, () => this.#died(server))
    this.#server = server
    server.start().then(
      () => {
        if (this.#server === server && server.process.alive) this.#ready = server
      },
      () => {
        // It says why and ends; whoever watches over it starts it again.
        world.count('failed starts')
        if (this.#server !== server) return
        server.process.die()
        this.#gone()
      },
    )
  }

  #died(server: SimulatedServer): void {
    if (this.#server !== server) return
    const { world } = this
    world.count('deaths')
    if (world.planted === 'lost commits') world.inboxDisk.loseLastCommit()
    if (world.chance(world.faults.powerLoss)) {
      world.count('power losses')
      world.inboxDisk.losePower(world.choice.below(world.inboxDisk.unsynced.length + 1))
    }
    this.#gone()
  }

  #gone(): void {
    // A read of a process that died never comes back.
    this.#reading = false
    this.#server = null
    this.#ready = null
    this.world.time.after(restartMs, () => this.#boot())
  }

  #killEngine(): void {
    const server = this.#ready
    if (server === null) return
    if (!server.killEngine()) return
    this.world.count('engine deaths')
    this.world.time.after(30, () => {
      if (server.process.alive) void server.startEngine()
    })
  }

  #stopServer(): void {
    const server = this.#ready
    if (server === null) return
    this.world.count('stops')
    this.#ready = null
    void server.stop().then(() => {
      if (this.#server !== server) return
      server.process.die()
      this.#gone()
    })
  }

  #fillDisk(): void {
    const { inboxDisk, choice, time } = this.world
    this.world.count('full disks')
    inboxDisk.capacityBytes = inboxDisk.usedBytes + choice.below(3_000)
    time.after(200 + choice.below(1_500), () => {
      inboxDisk.capacityBytes = Number.POSITIVE_INFINITY
    })
  }

  /** Together less than the window in which a repeated request is recognised. */
  #jump(): void {
    const { wall, choice } = this.world
    this.world.count('clock jumps')
    wall.offsetMs = (choice.next() - 0.5) * 10 * 60_000
  }

  #endFaults(): void {
    const { world } = this
    world.faulty = false
    world.inboxDisk.capacityBytes = Number.POSITIVE_INFINITY
    // In half of the seeds it has to recover by itself, in the others what is left behind is met by a new start.
    const server = this.#server
    if (server === null || world.choice.chance(0.5)) return
    server.process.die()
    this.#gone()
  }

  #isAtRest(): boolean {
    if (this.#clients.some(client => !client.done)) return false
    const figures = this.#ready?.figures()
    if (figures === undefined || figures === null || this.#ready?.answers !== true) return false
    return figures.sealedPosition === this.world.inboxDisk.durable.lastPosition
  }

  #explainUnrest(): void {
    const figures = this.#ready?.figures()
    const waiting = this.#clients.filter(client => !client.done).length
    this.world.find(
      `no rest ${restMs} ms after the last fault: ${waiting} senders wait, server ${this.#ready === null ? 'down' : 'up'}, taken ${figures?.takenPosition}, sealed ${figures?.sealedPosition} of ${this.world.inboxDisk.durable.lastPosition}, fault ${figures?.storeFault}`,
    )
  }

  /** A read at this moment: what is acknowledged is found, or lies in the inbox behind what the read covers. */
  #read(): void {
    const server = this.#ready
    if (server === null || this.#reading) return
    const { world } = this
    const figures = server.figures()
    if (server.tailBytes > maxTailBytes) world.find(`readers hold ${server.tailBytes} bytes`)
    if (figures !== null && figures.missingRows > 0) world.find(`${figures.missingRows} rows are missing`)
    const { inboxBytes } = world.faults
    // One group may pass the bound, because it is asked for before the group is written.
    if (world.inboxDisk.usedBytes > inboxBytes + 16_384)
      world.find(`the inbox holds ${world.inboxDisk.usedBytes} of ${inboxBytes} bytes`)
    const tenant = tenants[world.choice.below(tenants.length)] ?? ''
    const acknowledged = [...this.#ledger.acknowledged].filter(([, of]) => of === tenant)
    const rows = [...world.inboxDisk.durable.rows.values()]
    this.#reading = true
    void this.#judgeRead(
      server,
      tenant,
      acknowledged.map(([name]) => name),
      rows,
    ).finally(() => {
      this.#reading = false
    })
  }

  async #judgeRead(
    server: SimulatedServer,
    tenant: string,
    acknowledged: readonly string[],
    rows: readonly Parameters<typeof decodeRow>[0][],
  ): Promise<void> {
    const engine = server.engineNumber
    const reader = await server.open(tenant)
    if (reader === null) return
    this.world.count('reads')
    const found = await this.#itemsOf(reader, tenant)
    const { position } = reader.asOf
    await reader.release()
    if (position < this.#newestRead.position && engine === this.#newestRead.engine)
      this.world.find(`a read covers ${position}, an earlier one covered ${this.#newestRead.position}`)
    this.#newestRead = { position, engine }
    const waiting = new Set<string>()
    for (const row of rows) {
      if (row.position <= position) continue
      const body = Buffer.from(decodeRow(row).body).toString('latin1')
      for (const name of this.#ledger.itemsOfBody.get(body) ?? []) waiting.add(name)
    }
    const lost = acknowledged.filter(name => !found.has(name) && !waiting.has(name))
    if (lost.length > 0)
      this.world.find(`acknowledged and neither found as of ${position} nor waiting: ${lost.join(' ')}`)
  }

  /** Every item of the tenant once; findings for the rest. */
  async #itemsOf(reader: OpenReader, tenant: string): Promise<ReadonlySet<string>> {
    const found = new Set<string>()
    const add = (name: string): void => {
      if (found.has(name)) this.world.find(`${name} is there twice`)
      found.add(name)
      const owner = this.#ledger.sent.get(name)
      if (owner !== tenant) this.world.find(`${tenant} sees ${name} of ${owner ?? 'nobody'}`)
    }
    const range = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER }
    for await (const { block } of reader.scanSpans({ range }))
      for (const name of block.name) add(block.strings[name] ?? '')
    for await (const { block } of reader.scanLogs({ range }))
      for (const name of block.eventName) add(block.strings[name] ?? '')
    for await (const { block } of reader.scanMetrics({ range }))
      for (const series of block.series) add((block.strings[series] ?? '').replace('item=', ''))
    return found
  }

  async #settle(): Promise<void> {
    const { world } = this
    const server = this.#ready
    if (server === null) return
    let settled = false
    const judged = this.#judgeEnd(server).finally(() => {
      settled = true
    })
    await world.time.run({ ms: world.time.nowMs + restMs, maxEvents, done: () => settled })
    await judged
  }

  async #judgeEnd(server: SimulatedServer): Promise<void> {
    const { world } = this
    const figures = server.figures()
    if (figures === null || figures.missingRows + figures.buried + figures.uncounted > 0)
      world.find(
        `${figures?.missingRows} missing, ${figures?.buried} buried, ${figures?.uncounted} uncounted`,
      )
    for (const tenant of tenants) {
      const reader = await server.open(tenant)
      if (reader === null) {
        world.find('there is no engine at the end')
        return
      }
      const found = await this.#itemsOf(reader, tenant)
      const expected = [...this.#ledger.sent].filter(([, of]) => of === tenant).map(([name]) => name)
      const lost = expected.filter(name => !found.has(name))
      if (lost.length > 0) world.find(`${tenant} lost ${lost.join(' ')}`)
      await this.#judgeRollups(reader, expected)
      await reader.release()
    }
    const books = await readInvariant(world.storeDisk.reader(), world.inboxDisk.reader())
    for (const { difference, tenant, signal } of books ?? [])
      if (difference !== 0) world.find(`the books of ${signal} of ${tenant} are off by ${difference}`)
    if (books === null) world.find('the books cannot be read')
  }

  /** Rollups count every item once, too. */
  async #judgeRollups(reader: OpenReader, expected: readonly string[]): Promise<void> {
    const kinds = { traces: 'operation', logs: 'severity', metrics: 'metric' } as const
    const hourMs = 3_600_000
    const nowMs = this.world.wall.now()
    const view = await reader.rollups({ fromMs: nowMs - hourMs, toMs: nowMs + hourMs })
    for (const signal of signals) {
      let counted = 0
      for (const series of view.series(kinds[signal])) for (const count of series.count) counted += count
      const wanted = expected.filter(name => this.#ledger.signalOf.get(name) === signal).length
      if (counted !== wanted)
        this.world.find(`rollups count ${counted} of ${wanted} ${signal satisfies Signal}`)
    }
  }
}
