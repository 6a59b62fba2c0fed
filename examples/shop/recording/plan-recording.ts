/** Which cases are recorded, in which order, in which style: all of it follows from the seed. */
import { createHash } from 'node:crypto'
import { allHarmlessEvents, deployed, type HarmlessEvent, pace } from '../orchestration/harmless-events.ts'
import { services } from '../orchestration/plan.ts'
import type { Shop } from '../orchestration/shop.ts'
import { allTroubles, type Trouble } from '../orchestration/troubles.ts'
import { type Chance, chanceOf } from '../runtime/chance.ts'
import { styles, type TelemetryStyle } from './telemetry-style.ts'

export interface PlannedCase {
  readonly name: string
  /** Half of the groups are developed on, the other half is only reported. */
  readonly dataset: 'develop' | 'report'
  /** Kind of fault; `none` for a window in which nothing is wrong. */
  readonly fault: string
  /** Kind and place: whoever knows one case of a group may guess the others. */
  readonly group: string
  /** Where it begins; two for two troubles at once, none where nothing is wrong. */
  readonly places: readonly string[]
  readonly detail: string
  readonly begin: (shop: Shop) => Promise<void>
  readonly end: (shop: Shop) => Promise<void>
}

/** One shop in one style, and what happens to it one after the other. */
export interface PlannedSession {
  readonly name: string
  readonly seed: string
  readonly style: TelemetryStyle
  readonly cases: readonly PlannedCase[]
}

export interface PlanOptions {
  readonly seed: string
  /** How often every trouble is met at every place. */
  readonly rounds: number
}

/** Few enough that a session is over in four minutes. */
const troublesPerSession = 4
const harmlessPerSession = 2

export function planRecording({ seed, rounds }: PlanOptions): readonly PlannedSession[] {
  const chance = chanceOf(`${seed} plan`)
  const sessions: PlannedSession[] = []
  const counts = new Map<string, number>()
  const numbered = (name: string): string => {
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    return `${name}-${count}`
  }
  let harmless: HarmlessEvent[] = []
  for (let round = 0; round < rounds; round++) {
    const open = shuffled(allTroubles(chance), chance)
    while (open.length > 0) {
      const style = styles[sessions.length % styles.length] ?? styles[0]
      const troubles = take(open, troublesPerSession, trouble => isVisible(trouble, style))
      if (harmless.length < harmlessPerSession) harmless = shuffled(allHarmlessEvents(chance), chance)
      const cases = [
        ...troubles.map(trouble => troubleCase(trouble, numbered, chance)),
        ...harmless.splice(0, harmlessPerSession).map(event => harmlessCase(event, numbered)),
      ]
      const name = `session-${String(sessions.length + 1).padStart(3, '0')}`
      sessions.push({ name, seed: `${seed} ${name}`, style, cases: shuffled(cases, chance) })
    }
  }
  return sessions
}

/** Groups are told apart by a hash of their name, so that a new group moves none of the others. */
export function datasetOf(group: string): PlannedCase['dataset'] {
  const [first = 0] = createHash('sha256').update(group).digest()
  return first % 2 === 0 ? 'develop' : 'report'
}

function isVisible({ place, needs }: Trouble, style: TelemetryStyle): boolean {
  const silent = style.silent.includes(place)
  return !(silent && needs.includes('own telemetry')) && (style.logs || !needs.includes('logs'))
}

/** Takes the first so many that fit, or the first of all where none does. */
function take(open: Trouble[], count: number, fits: (trouble: Trouble) => boolean): readonly Trouble[] {
  const taken: Trouble[] = []
  for (let at = 0; at < open.length && taken.length < count; ) {
    const each = open[at]
    if (each !== undefined && fits(each)) taken.push(...open.splice(at, 1))
    else at++
  }
  return taken.length > 0 ? taken : open.splice(0)
}

type Numbered = (name: string) => string

function troubleCase(trouble: Trouble, numbered: Numbered, chance: Chance): PlannedCase {
  const group = `${trouble.kind}/${trouble.place}`
  const base = {
    name: numbered(`${trouble.kind}-${trouble.place}`),
    dataset: datasetOf(group),
    fault: trouble.kind,
    group,
    places: [trouble.place],
    detail: trouble.detail,
    begin: trouble.begin,
    end: trouble.end,
  }
  const luck = chance.next()
  if (luck < 0.12) return beside(base, pace(2), 'twice the traffic')
  if (luck < 0.24) {
    const others = services.map(plan => plan.service).filter(service => service !== trouble.place)
    const [place, begin, end] = deployed(chance.pick(others as [string, ...string[]]))
    return beside(base, { begin, end }, `an innocent deploy of ${place}`)
  }
  return luck < 0.34 ? withSecond(base, trouble, chance) : base
}

type Happening = Pick<PlannedCase, 'begin' | 'end'>

function beside(base: PlannedCase, other: Happening, what: string): PlannedCase {
  return {
    ...base,
    detail: `${base.detail}; ${what}`,
    begin: async shop => void (await Promise.all([base.begin(shop), other.begin(shop)])),
    end: async shop => {
      await base.end(shop)
      await other.end(shop)
    },
  }
}

/** Two troubles at once, of the same half, at places that do not call each other's names. */
function withSecond(base: PlannedCase, first: Trouble, chance: Chance): PlannedCase {
  const others = allTroubles(chance).filter(
    other =>
      other.place !== first.place &&
      other.needs.length === 0 &&
      other.kind !== 'dependency-down' &&
      datasetOf(`${other.kind}/${other.place}`) === base.dataset,
  )
  const second = chance.pick(others as [Trouble, ...Trouble[]])
  return {
    ...beside(base, second, `${second.kind} at ${second.place}, ${second.detail}`),
    places: [first.place, second.place],
  }
}

function harmlessCase(event: HarmlessEvent, numbered: Numbered): PlannedCase {
  const name = numbered(`${event.kind}-${event.place}`)
  // Each by its own name: fault-free windows of one kind are all alike, so half of them goes to each side.
  return {
    name,
    dataset: datasetOf(name),
    fault: 'none',
    group: `${event.kind}/${event.place}`,
    places: [],
    detail: '',
    begin: event.begin,
    end: event.end,
  }
}

function shuffled<T>(items: readonly T[], chance: Chance): T[] {
  const order = [...items]
  for (let last = order.length - 1; last > 0; last--) {
    const other = chance.between(0, last)
    const held = order[last] as T // both indexes lie within
    order[last] = order[other] as T
    order[other] = held
  }
  return order
}
