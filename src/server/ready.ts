/** `/ready`: named checks with figures. */
import type { HealthCheck, HealthPort, HealthReport, HealthStatus } from '../model/health.ts'

/** Orchestrators give a probe about this long. */
const reportTimeoutMs = 2_000

export interface ReadyAnswer {
  /** 200, or 503 while a check is critical. */
  readonly httpStatus: 200 | 503
  readonly body: {
    readonly status: HealthStatus
    readonly checks: Readonly<Record<string, Partial<HealthCheck>>>
  }
}

/** `detailed` adds sentences and figures, which are for those who may read this server's data only. */
export async function readiness(health: HealthPort, detailed: boolean): Promise<ReadyAnswer> {
  const report = await reportInTime(health)
  const statuses = Object.values(report).map(check => check.status)
  const status = statuses.includes('critical') ? 'critical' : statuses.includes('warning') ? 'warning' : 'ok'
  const checks = detailed
    ? report
    : Object.fromEntries(Object.entries(report).map(([name, check]) => [name, { status: check.status }]))
  return { httpStatus: status === 'critical' ? 503 : 200, body: { status, checks } }
}

/** A part that cannot even say how it is counts as down. */
async function reportInTime(health: HealthPort): Promise<HealthReport> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<HealthReport>(resolve => {
    const detail = `no report in ${reportTimeoutMs} ms`
    timer = setTimeout(
      () => resolve({ report: { status: 'critical', detail, figures: {} } }),
      reportTimeoutMs,
    )
  })
  try {
    return await Promise.race([health.report(), late])
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return { report: { status: 'critical', detail, figures: {} } }
  } finally {
    clearTimeout(timer)
  }
}
