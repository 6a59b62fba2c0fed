/** Runs the shop: starts its processes, tells them where the others are, replaces and stops them. */
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { Address, Addresses, Identity, ShopperFigures } from '../runtime/messages.ts'
import { pause } from '../runtime/pause.ts'
import { type ChildHandle, startChild } from './child-process.ts'
import { backing, type ServicePlan, services } from './plan.ts'

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
}

export interface Shop {
  /** Sets how many journeys shoppers begin per second; one journey is about six requests. */
  setPace(journeysPerSecond: number): void
  /** Makes every instance of a service, later ones included, run into a condition, or no longer. */
  setCondition(service: string, condition: string, on: boolean): void
  /** Ends a process without telemetry, as a crash would. */
  crash(name: string): Promise<void>
  /** Replaces every instance of a service by a new one, of another version if one is given. */
  replace(service: string, version?: string): Promise<void>
  figures(): ShopperFigures
  /** Process ids by process name, for those who measure. */
  processes(): ReadonlyMap<string, number>
  /** May be called twice. */
  stop(): Promise<void>
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
  const conditions = new Map<string, Set<string>>()
  let shoppers: ChildHandle | undefined
  let stopped: Promise<void> | undefined

  const addresses = (): Addresses => {
    const found: Record<string, Address[]> = {}
    for (const { name, instance, child } of running) {
      found[name] = [...(found[name] ?? []), { instance, port: child.port }]
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
    })
    for (const name of conditions.get(identity.service) ?? [])
      child.order({ kind: 'condition', name, on: true })
    return { name: identity.service, instance: identity.instance, child }
  }
  const beginService = (plan: ServicePlan): Promise<Running> => {
    const identity = { service: plan.service, version: plan.version, instance: newInstance(plan.service) }
    return begin(
      identity,
      `services/${plan.service}.ts`,
      exporterEnvironment(identity, plan, options.endpoint),
    )
  }
  const stop = async (): Promise<void> => {
    await shoppers?.stop()
    const all = running.splice(0)
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
    const identity = { service: 'shoppers', version: '', instance: 'shoppers' }
    shoppers = (await begin(identity, 'shoppers.ts', {})).child
  } catch (error) {
    await stopOnce()
    throw error
  }

  const childrenOf = (name: string): readonly Running[] => running.filter(each => each.name === name)
  return {
    setPace: journeysPerSecond => shoppers?.order({ kind: 'pace', journeysPerSecond }),
    setCondition: (service, name, on) => {
      const inForce = conditions.get(service) ?? new Set()
      conditions.set(service, inForce)
      if (on) inForce.add(name)
      else inForce.delete(name)
      for (const { child } of childrenOf(service)) child.order({ kind: 'condition', name, on })
    },
    crash: async name => {
      await Promise.all(childrenOf(name).map(each => each.child.kill()))
    },
    replace: async (service, version) => {
      const plan = services.find(each => each.service === service)
      if (plan === undefined) throw new Error(`the shop has no service ${service}`)
      for (const old of childrenOf(service)) {
        const next = await beginService({ ...plan, version: version ?? plan.version })
        running.splice(running.indexOf(old), 1, next)
        tellAddresses()
        await pause(drainMs)
        await old.child.stop()
      }
    },
    figures: () => shoppers?.figures() ?? { requests: 0, failures: 0, skippedJourneys: 0 },
    processes: () => new Map(running.map(each => [each.instance, each.child.pid])),
    stop: stopOnce,
  }
}

/** As a scheduler names them: the service and a few random characters. */
function newInstance(service: string): string {
  return `${service}-${randomBytes(4).toString('hex')}`
}

/** The standard variables of the OpenTelemetry SDK; nothing else configures a service. */
function exporterEnvironment(
  { service, version, instance }: Identity,
  plan: ServicePlan,
  endpoint: OtlpEndpoint,
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
    OTEL_EXPORTER_OTLP_PROTOCOL: plan.protocol,
    OTEL_EXPORTER_OTLP_ENDPOINT: plan.protocol === 'grpc' ? endpoint.grpcUrl : endpoint.httpUrl,
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: plan.temporality,
    ...(plan.gzip ? { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' } : {}),
    // Shorter than the defaults of 5 s and 60 s, so that a question can be asked half a minute after the start.
    OTEL_BSP_SCHEDULE_DELAY: '1000',
    OTEL_BLRP_SCHEDULE_DELAY: '1000',
    OTEL_METRIC_EXPORT_INTERVAL: '2000',
    OTEL_METRIC_EXPORT_TIMEOUT: '2000',
  }
}
