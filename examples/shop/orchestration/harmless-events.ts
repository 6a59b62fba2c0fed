/** What happens to a healthy shop on any day: nobody should be woken for it. */
import type { Chance } from '../runtime/chance.ts'
import { pause } from '../runtime/pause.ts'
import { services } from './plan.ts'
import { journeysPerSecond } from './scenarios.ts'
import type { Shop } from './shop.ts'

export interface HarmlessEvent {
  readonly kind: string
  /** A service, or the shoppers. */
  readonly place: string
  readonly begin: (shop: Shop) => Promise<void>
  readonly end: (shop: Shop) => Promise<void>
}

/** One of each kind, at a place left to chance. */
export function allHarmlessEvents(chance: Chance): readonly HarmlessEvent[] {
  const service = (): string => chance.pick(names)
  return [
    ...['morning', 'noon', 'evening'].map(place => event('nothing', place, nothing, nothing)),
    ...([0.5, 2, 2.5] as const).map(factor => pace(factor)),
    event(
      'window-shopping',
      'shoppers',
      async shop => shop.setCondition('shoppers', 'window-shopping', {}),
      async shop => shop.setCondition('shoppers', 'window-shopping', null),
    ),
    event('restart', ...restarted(service())),
    event('deploy', ...deployed(service())),
    event('deploy-at-surge', ...deployedAtSurge(service())),
    ...[chance.between(400, 4_000), -chance.between(400, 20_000)].map(aheadMs => skew(service(), aheadMs)),
  ]
}

const names = services.map(plan => plan.service) as [string, ...string[]] // the plan is not empty
const nothing = async (): Promise<void> => pause(0)

type Step = (shop: Shop) => Promise<void>

function event(kind: string, place: string, begin: Step, end: Step): HarmlessEvent {
  return { kind, place, begin, end }
}

export function pace(factor: number): HarmlessEvent {
  return event(
    factor < 1 ? 'quiet-hour' : 'surge',
    `shoppers-${factor}`,
    async shop => shop.setPace(factor * journeysPerSecond),
    async shop => shop.setPace(journeysPerSecond),
  )
}

function restarted(service: string): [string, Step, Step] {
  return [service, shop => shop.replace(service), nothing]
}

/** A version that does exactly what the one before did. */
export function deployed(service: string): [string, Step, Step] {
  const version = `${services.find(plan => plan.service === service)?.version ?? '1.0.0'}-1`
  return [service, shop => shop.replace(service, { version }), shop => shop.replace(service)]
}

function deployedAtSurge(service: string): [string, Step, Step] {
  const [place, begin, end] = deployed(service)
  const surge = pace(2)
  return [
    place,
    async shop => {
      await surge.begin(shop)
      await begin(shop)
    },
    async shop => {
      await surge.end(shop)
      await end(shop)
    },
  ]
}

function skew(service: string, aheadMs: number): HarmlessEvent {
  return event(
    'clock-skew',
    service,
    async shop => shop.setCondition(service, 'clock-off', { aheadMs }),
    async shop => shop.setCondition(service, 'clock-off', null),
  )
}
