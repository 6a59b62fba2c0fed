/** Brings one service up: telemetry, control channel, routes; and takes it down again, telemetry flushed. */
import { type Meter, metrics, type Tracer, trace } from '@opentelemetry/api'
import { type Chance, chanceOf } from './chance.ts'
import { setClockBy } from './clock.ts'
import { type Control, takeControl } from './control.ts'
import { type Caller, createCaller } from './http-calls.ts'
import { type Routes, serveHttp } from './http-service.ts'
import { type Journal, openJournal } from './journal.ts'
import { observeResourceUsage } from './resource-usage.ts'
import { underConditions } from './route-conditions.ts'
import { strainProcess } from './strain.ts'
import { startTelemetry } from './telemetry.ts'

/** What a service is built from. */
export interface Workplace {
  readonly control: Control
  readonly caller: Caller
  readonly journal: Journal
  readonly chance: Chance
  readonly tracer: Tracer
  readonly meter: Meter
}

/** Runs a service until it is told to stop. `open` wires it up and returns its routes. */
export async function runService(open: (workplace: Workplace) => Routes): Promise<void> {
  const flush = startTelemetry()
  const control = await takeControl()
  const { service, version, instance } = control.identity
  const journal = openJournal(service)
  const meter = metrics.getMeter(`shop.${service}`, version)
  observeResourceUsage(meter)
  setClockBy(control)
  strainProcess(control)
  const routes = open({
    control,
    caller: createCaller(control),
    journal,
    chance: chanceOf(instance),
    tracer: trace.getTracer(`shop.${service}`, version),
    meter,
  })
  const { server, port } = await serveHttp(underConditions(routes, control), journal)
  journal.info(`${service} ${version} is listening on port ${port}`)
  control.onStop(async () => {
    journal.info(`${service} ${version} is shutting down`)
    server.close()
    await flush()
  })
  control.report({ kind: 'ready', port })
}
