/** Severity numbers in the six classes that log rollups count. */

/** By class number; class 0 takes records without a severity, which are mostly plain lines. */
export const severityClasses: readonly string[] = ['info', 'trace', 'debug', 'info', 'warn', 'error', 'fatal']

/** Class number of a SeverityNumber (logs.proto: four numbers a class, from 1), 0 for none. */
export function severityClass(severity: number): number {
  return severity <= 0 || severity > 24 ? 0 : Math.ceil(severity / 4)
}
