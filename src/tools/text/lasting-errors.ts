/**
 * Share of failed requests from which a service that is no worse than its baseline is said to fail all the same: a
 * fault longer than the time before it fills the baseline. Far above the stray failures that most services always have.
 */
const lastingErrorPct = 5

/** Whether a service passes for healthy only because it failed before, too. */
export function failsAsBefore(health: string, errorPct: number | null): boolean {
  return health === 'healthy' && (errorPct ?? 0) >= lastingErrorPct
}
