/** The parts of OTLP/JSON that all signals of a load share. */
import type { CallPlan } from './call-plan.ts'
import type { PlacedItem } from './request-batches.ts'

export function stringValue(key: string, value: string): { readonly key: string; readonly value: object } {
  return { key, value: { stringValue: value } }
}

export interface ServiceGroup {
  readonly resource: object
  readonly items: readonly object[]
}

/** Items by service, in the order in which services come first. Each service has three instances. */
export function groupByService(calls: CallPlan, items: readonly PlacedItem[]): readonly ServiceGroup[] {
  const groups = Map.groupBy(items, item => item.service)
  return [...groups].map(([service, members]) => ({
    resource: resourceOf(calls.services[service] ?? '', service % 3),
    items: members.map(member => member.json),
  }))
}

function resourceOf(service: string, instance: number): object {
  return {
    attributes: [
      stringValue('service.name', service),
      stringValue('service.version', '1.4.2'),
      stringValue('service.instance.id', `${service}-${instance}`),
      stringValue('telemetry.sdk.language', 'nodejs'),
      stringValue('telemetry.sdk.name', 'opentelemetry'),
    ],
  }
}
