/** Width of the windows in which telemetry is first counted: ten seconds. */
export const rollupStepSeconds = 10

/** The same in milliseconds. */
export const rollupWindowMs: number = rollupStepSeconds * 1000
