/** The port through which the parts of the process say how they are, for `/ready` and `healthcheck`. */

export type HealthStatus = 'ok' | 'warning' | 'critical'

/** `critical` means the process cannot do its work and should get no traffic. */
export interface HealthCheck {
  readonly status: HealthStatus
  /** One sentence, lower case; empty where the figures say it all. */
  readonly detail: string
  /** Names end with their unit. */
  readonly figures: Readonly<Record<string, number | string | boolean | null>>
}

/** Checks by name, such as `store`, `engine`, `inbox`, `sealing`, `dead_letters`, `disk`. */
export type HealthReport = Readonly<Record<string, HealthCheck>>

export interface HealthPort {
  /** Must answer from what is known, not by doing work; the front gives up on it after two seconds. */
  report(): Promise<HealthReport>
}
