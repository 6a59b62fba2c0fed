/** `/admin`: for operators, from a shell or a script, never from a page. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '../logger.ts'
import { tenantProblem } from '../model/auth.ts'
import type { IngestControl, PauseScope } from '../model/ingest-observer.ts'
import type { IngestCounter } from '../model/reader.ts'
import { type Signal, signals } from '../model/telemetry.ts'
import type { Caller } from '../model/tool.ts'
import type { IngestCounters } from './ingest-counters.ts'
import { ingestFigures, type PipelinePort } from './ingest-figures.ts'
import { type HttpError, sendError, sendJson } from './json-answer.ts'

/** Any value will do: a page of another origin cannot send this header without asking first, and is refused. */
export const adminHeader = 'x-otelcontext-admin'

export interface AdminOptions {
  readonly control: IngestControl
  readonly counters: IngestCounters
  /** By tenant, signal and transport. */
  readonly ingestCounters: () => readonly IngestCounter[]
  readonly pipeline: PipelinePort
  /** Writes stored telemetry as OTLP/JSON lines; checks the query itself and answers every request. */
  readonly exportTelemetry: (
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
    caller: Caller,
  ) => Promise<void>
  readonly logger: Logger
}

const getPaths: ReadonlySet<string> = new Set(['/admin/stats', '/admin/export'])

/** Answers a request to a path under `/admin`. The caller has been authenticated. */
export async function handleAdmin(
  options: AdminOptions,
  request: IncomingMessage,
  response: ServerResponse,
  caller: Caller,
): Promise<void> {
  const refused = whyNot(request, caller)
  if (refused !== null) {
    sendError(response, refused)
    return
  }
  const url = new URL(request.url ?? '/', 'http://localhost')
  const wanted = getPaths.has(url.pathname) ? 'GET' : 'POST'
  const action = /^\/admin\/ingest\/(pause|resume)$/.exec(url.pathname)?.[1]
  if (!getPaths.has(url.pathname) && action === undefined) {
    sendError(response, { status: 404, code: 'not_found', message: `there is no ${url.pathname} here` })
    return
  }
  if (request.method !== wanted) {
    const headers = { allow: wanted }
    sendError(response, { status: 405, code: 'method_not_allowed', message: `use ${wanted}`, headers })
    return
  }
  if (url.pathname === '/admin/export') {
    await options.exportTelemetry(url.searchParams, request, response, caller)
  } else if (action === undefined) await sendStats(options, response)
  else changeIngest(options, action === 'pause', url.searchParams, response, caller)
}

function whyNot(request: IncomingMessage, caller: Caller): HttpError | null {
  const { headers } = request
  if (
    headers[adminHeader] === undefined &&
    headers.authorization === undefined &&
    headers['x-api-key'] === undefined
  ) {
    const message = `send the header ${adminHeader}, authorization or x-api-key`
    return { status: 403, code: 'header_missing', message }
  }
  return caller.operator ? null : { status: 403, code: 'forbidden', message: 'only an operator may do this' }
}

async function sendStats(options: AdminOptions, response: ServerResponse): Promise<void> {
  sendJson(response, 200, {
    figures: await ingestFigures(options.counters, options.pipeline),
    ingest: options.ingestCounters(),
    refused: options.counters.edgeRefusals(),
    paused: options.control.pauses(),
  })
}

function changeIngest(
  options: AdminOptions,
  pause: boolean,
  query: URLSearchParams,
  response: ServerResponse,
  caller: Caller,
): void {
  const scope = scopeOf(query)
  if (typeof scope === 'string') {
    sendError(response, { status: 400, code: 'bad_argument', message: scope })
    return
  }
  if (!pause) options.control.resume(scope)
  else if (!options.control.pause(scope)) {
    const message = 'too many pauses are in force; resume some or pause a whole signal'
    sendError(response, { status: 409, code: 'too_many_pauses', message })
    return
  }
  const event = pause ? 'ingest_paused' : 'ingest_resumed'
  options.logger.warn({ event, ...scope, principal: caller.principal }, 'ingest changed by an operator')
  sendJson(response, 200, { paused: options.control.pauses() })
}

/** `?signal=traces&tenant=shop`, each optional; or what is wrong with it. */
function scopeOf(query: URLSearchParams): PauseScope | string {
  const signal = query.get('signal')
  const tenant = query.get('tenant')
  if (signal !== null && !isSignal(signal)) return `signal is one of ${signals.join(', ')}`
  const problem = tenant === null ? null : tenantProblem(tenant)
  if (problem !== null) return `tenant ${problem}`
  return { ...(signal === null ? {} : { signal }), ...(tenant === null ? {} : { tenant }) }
}

function isSignal(text: string): text is Signal {
  return signals.some(signal => signal === text)
}
