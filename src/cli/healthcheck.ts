/** `otelcontext healthcheck`: the three words and exit codes that monitoring systems expect. */
import { request, type ServerConnection } from './server-connection.ts'

export interface HealthVerdict {
  readonly word: 'OK' | 'WARNING' | 'CRITICAL'
  readonly exitCode: 0 | 1 | 2
  readonly detail: string
}

interface ReadyReport {
  readonly status?: string
  readonly checks?: Readonly<Record<string, { readonly status?: string; readonly detail?: string }>>
}

/** CRITICAL: no answer or not ready. WARNING: ready, but a check is not `ok`. */
export async function checkHealth(connection: ServerConnection): Promise<HealthVerdict> {
  let response: Response
  try {
    response = await request(connection, '/ready')
  } catch (error) {
    return { word: 'CRITICAL', exitCode: 2, detail: error instanceof Error ? error.message : String(error) }
  }
  const report = (await response.json().catch(() => ({}))) as ReadyReport // our own server's /ready
  const troubled = Object.entries(report.checks ?? {}).filter(([, check]) => check.status !== 'ok')
  const detail = troubled
    .map(([name, check]) => `${name}: ${check.detail ?? check.status ?? 'unknown'}`)
    .join('; ')
  if (!response.ok)
    return { word: 'CRITICAL', exitCode: 2, detail: detail || `/ready answered ${response.status}` }
  return troubled.length > 0
    ? { word: 'WARNING', exitCode: 1, detail }
    : { word: 'OK', exitCode: 0, detail: 'ready' }
}
