/** Runs the shop: starts its processes, tells them where the others are, replaces and stops them. */
import { fileURLToPath } from 'node:url'
import { type Chance, chanceOf } from '../runtime/chance.ts'
import type { Address, Addresses, Identity, Settings, ShopperFigures } from '../runtime/messages.ts'
import { pause } from '../runtime/pause.ts'
import { type ChildHandle, startChild } from './child-process.ts'
import { type LongWire, openLongWire } from './long-wire.ts'
import { backing, type Protocol, type ServicePlan, services } from './plan.ts'

/** Base URLs that take OTLP. */
export interface OtlpEndpoint {
  readonly grpcUrl: string
  readonly httpUrl: string
}

export interface ShopOptions {
  readonly endpoint: OtlpEndpoint
  /** Called when a process ends that nobody stopped. */
  readonly onLost?: (sentence: string) => void
  /** Gives up while the shop is starting; has no effect later. */
  readonly signal?: AbortSignal
  /** What instances are called and whatever is left to chance depends on it; a fresh one if there is none. */
  readonly seed?: string
  /** All services send over this transport, whatever is planned. */
  readonly protocol?: Protocol
  /** Rejection threshold of a consistent sampler in every service, as in `ot=th:c`; empty for all traces. */
  readonly samplingThreshold?: string
  /** Services whose SDK is switched off. */
  readonly silent?: readonly string[]
  /** How long a process may take until it takes requests, milliseconds. */
  readonly readyLimitMs?: number
}

/** On two busy cores fifteen processes take a few seconds to load. */
const defaultReadyLimitMs = 30_000

export interface Shop {
  /** Sets how many journeys shoppers begin per second; one journey is about six requests. */
  setPace(journeysPerSecond: number): void
  /**
   * Makes every instance of a service, of a process without telemetry, or the shoppers, later instances
   * included, run into a condition; null: no longer.
   */
  setCondition(name: string, condition: string, settings: Settings | null): void
  /** Ends a process without telemetry, as a crash would. */
  crash(name: string): Promise<void>
  /** Starts a process again that crashed. */
  revive(name: string): Promise<void>
  /** Replaces every instance of a service by a new one. */
  replace(service: string, release?: Release): Promise<void>
  /** Makes everything between a service and its callers take so much longer each way, in milliseconds; 0: no longer. */
  lengthenWire(service: string, delayMs: number): Promise<void>
  figures(): ShopperFigures
  /** Process ids by process name, for those who measure. */
  processes(): ReadonlyMap<string, number>
  /** May be called twice. */
  stop(): Promise<void>
}

export interface Release {
  /** As before if there is none. */
  readonly version?: string
  /** What its instances run into, and older ones do not. */
  readonly conditions?: Readonly<Record<string, Settings>>
}

/** How long a replaced instance keeps serving what reached it before the others were told, in milliseconds. */
const drainMs = 1_000

const neverAborted = new AbortController().signal

interface Running {
  readonly name: string
  readonly instance: string
  readonly child: ChildHandle
}

/** Resolves when every process takes requests. Stops what it started before it rejects. */
export async function startShop(options: ShopOptions): Promise<Shop> {
  const running: Running[] = []
  /** Conditions in force, by service: a new instance meets them as well. */
  const conditions = new Map<string, Map<string, Settings>>()
  /** By instance. */
  const wires = new Map<string, LongWire>()
  const chance = chanceOf(`${options.seed ?? Date.now()} instances`)
  let shoppers: ChildHandle | undefined
  let stopped: Promise<void> | undefined

  const addresses = (): Addresses => {
    const found: Record<string, Address[]> = {}
    for (const { name, instance, child } of running) {
      found[name] = [...(found[name] ?? []), { instance, port: wires.get(instance)?.port ?? child.port }]
    }
    return found
  }
  const tellAddresses = (): void => {
    const order = { kind: 'addresses', addresses: addresses() } as const
    for (const { child } of running) child.order(order)
    shoppers?.order(order)
  }
  const begin = async (
    identity: Identity,
    file: string,
    environment: Readonly<Record<string, string>>,
  ): Promise<Running> => {
    const child = await startChild({
      name: identity.instance,
      entry: fileURLToPath(new URL(`../${file}`, import.meta.url)),
      environment,
      start: { kind: 'start', identity, addresses: addresses() },
      onLost: sentence => options.onLost?.(sentence),
      signal: options.signal ?? neverAborted,
      readyLimitMs: options.readyLimitMs ?? defaultReadyLimitMs,
    })
    for (const [name, settings] of conditions.get(identity.service) ?? []) {
      child.order({ kind: 'condition', name, settings })
    }
    return { name: identity.service, instance: identity.instance, child }
  }
  const beginService = (plan: ServicePlan): Promise<Running> => {
    const identity = {
      service: plan.service,
      version: plan.version,
      instance: newInstance(plan.service, chance),
    }
    return begin(identity, `services/${plan.service}.ts`, exporterEnvironment(identity, plan, options))
  }
  const stop = async (): Promise<void> => {
    await shoppers?.stop()
    const all = running.splice(0)
    for (const wire of wires.values()) wire.cut()
    wires.clear()
    // Callers first, so that nobody's last request meets a closed door.
    const reporting = all.filter(each => !backing.includes(each.name))
    await Promise.all(reporting.map(each => each.child.stop()))
    await Promise.all(all.filter(each => backing.includes(each.name)).map(each => each.child.stop()))
  }
  const stopOnce = (): Promise<void> => (stopped ??= stop())

  try {
    const starts = [
      ...backing.map(name => begin({ service: name, version: '', instance: name }, `backing/${name}.ts`, {})),
      ...services.flatMap(plan => Array.from({ length: plan.instances }, () => beginService(plan))),
    ]
    const results = await Promise.allSettled(starts)
    for (const result of results) if (result.status === 'fulfilled') running.push(result.value)
    const failed = results.find(result => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    tellAddresses()
    const identity = { service: 'shoppers', version: '', instance: `shoppers${options.seed ?? ''}` }
    shoppers = (await begin(identity, 'shoppers.ts', {})).child
  } catch (error) {
    await stopOnce()
    throw error
  }

  const childrenOf = (name: string): readonly Running[] => running.filter(each => each.name === name)
  const conditionsOf = (name: string): Map<string, Settings> => {
    const inForce = conditions.get(name) ?? new Map<string, Settings>()
    conditions.set(name, inForce)
    return inForce
  }
  return {
    setPace: journeysPerSecond => shoppers?.order({ kind: 'pace', journeysPerSecond }),
    setCondition: (place, name, settings) => {
      const inForce = conditionsOf(place)
      if (settings === null) inForce.delete(name)
      else inForce.set(name, settings)
      for (const { child } of childrenOf(place)) child.order({ kind: 'condition', name, settings })
      if (place === 'shoppers') shoppers?.order({ kind: 'condition', name, settings })
    },
    crash: async name => {
      await Promise.all(childrenOf(name).map(each => each.child.kill()))
    },
    revive: async name => {
      for (const dead of childrenOf(name)) {
        const next = await begin({ service: name, version: '', instance: name }, `backing/${name}.ts`, {})
        running.splice(running.indexOf(dead), 1, next)
      }
      tellAddresses()
    },
    replace: async (service, release = {}) => {
      const plan = services.find(each => each.service === service)
      if (plan === undefined) throw new Error(`the shop has no service ${service}`)
      for (const [name, settings] of Object.entries(release.conditions ?? {})) {
        conditionsOf(service).set(name, settings)
      }
      for (const old of childrenOf(service)) {
        const next = await beginService({ ...plan, version: release.version ?? plan.version })
        running.splice(running.indexOf(old), 1, next)
        tellAddresses()
        await pause(drainMs)
        await old.child.stop()
      }
    },
    lengthenWire: async (service, delayMs) => {
      for (const { instance, child } of childrenOf(service)) {
        wires.get(instance)?.cut()
        wires.delete(instance)
        if (delayMs > 0) wires.set(instance, await openLongWire(child.port, delayMs))
      }
      tellAddresses()
    },
    figures: () => shoppers?.figures() ?? { requests: 0, failures: 0, skippedJourneys: 0 },
    processes: () => new Map(running.map(each => [each.instance, each.child.pid])),
    stop: stopOnce,
  }
}

/** As a scheduler names them: the service and a few random characters. */
function newInstance(service: string, chance: Chance): string {
  return `${service}-${chance.between(0x10000000, 0xffffffff).toString(16)}`
}

/** The standard variables of the OpenTelemetry SDK; nothing else configures a service. */
function exporterEnvironment(
  { service, version, instance }: Identity,
  plan: ServicePlan,
  { endpoint, protocol = plan.protocol, samplingThreshold = '', silent = [] }: ShopOptions,
): Readonly<Record<string, string>> {
  const attributes = {
    'service.namespace': 'shop',
    'service.version': version,
    'service.instance.id': instance,
    'deployment.environment.name': 'production',
  }
  return {
    OTEL_SERVICE_NAME: service,
    OTEL_RESOURCE_ATTRIBUTES: Object.entries(attributes)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    OTEL_EXPORTER_OTLP_ENDPOINT: protocol === 'grpc' ? endpoint.grpcUrl : endpoint.httpUrl,
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: plan.temporality,
    ...(plan.gzip ? { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' } : {}),
    ...(silent.includes(service) ? { OTEL_SDK_DISABLED: 'true' } : {}),
    ...(samplingThreshold === '' ? {} : { SHOP_SAMPLING_THRESHOLD: samplingThreshold }),
    // Shorter than the defaults of 5 s and 60 s, so that a question can be asked half a minute after the start.
    OTEL_BSP_SCHEDULE_DELAY: '1000',
    OTEL_BLRP_SCHEDULE_DELAY: '1000',
    OTEL_METRIC_EXPORT_INTERVAL: '2000',
    OTEL_METRIC_EXPORT_TIMEOUT: '2000',
  }
}
