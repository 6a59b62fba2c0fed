/**
 * Share of failed requests from which a service that is no worse than its baseline is said to fail all the same: a
 * fault longer than the time before it fills the baseline. Far above the stray failures that most services always have.
 */
export const lastingErrorPct = 5
