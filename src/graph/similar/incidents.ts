/** Times at which anomalies came together, and how alike they are: what moved, where, and in which direction. */
import type { Anomaly } from '../anomalies.ts'

export interface Incident {
  readonly fromMs: number
  /** End of its last anomaly; null while one lasts to the end of what was looked at. */
  readonly toMs: number | null
  /** By onset. */
  readonly anomalies: readonly Anomaly[]
}

/** Anomalies that overlap, or follow each other within `gapMs`, are one incident; by time. */
export function groupIncidents(anomalies: readonly Anomaly[], gapMs: number): readonly Incident[] {
  const incidents: { fromMs: number; toMs: number; open: boolean; anomalies: Anomaly[] }[] = []
  for (const anomaly of anomalies.toSorted((a, b) => a.onsetMs - b.onsetMs)) {
    const last = incidents.at(-1)
    const endMs = anomaly.endMs ?? Number.POSITIVE_INFINITY
    if (last === undefined || anomaly.onsetMs > last.toMs + gapMs) {
      incidents.push({
        fromMs: anomaly.onsetMs,
        toMs: endMs,
        open: anomaly.endMs === null,
        anomalies: [anomaly],
      })
      continue
    }
    last.toMs = Math.max(last.toMs, endMs)
    last.open ||= anomaly.endMs === null
    last.anomalies.push(anomaly)
  }
  return incidents.map(({ fromMs, toMs, open, anomalies: members }) => ({
    fromMs,
    toMs: open ? null : toMs,
    anomalies: members,
  }))
}

/** `payment errors up`: the same thing moved in the same way. */
export function anomalyFeature({ service, kind, of, name, direction }: Anomaly): string {
  return [service, kind, of, name, direction].filter(part => part !== '').join(' ')
}

/** Coarse and fine ones, so that another operation of the same service is a little alike. */
export function incidentFeatures({ anomalies }: Incident): readonly string[] {
  return [
    ...new Set(
      anomalies.flatMap(anomaly => [
        anomalyFeature(anomaly),
        `${anomaly.service} ${anomaly.kind} ${anomaly.direction}`,
      ]),
    ),
  ]
}
