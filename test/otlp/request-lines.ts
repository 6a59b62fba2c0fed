/** Export requests as plain objects, taken apart into lines that can be compared. Knows nothing of our codec. */

export type Plain = Record<string, unknown>

const asList = (value: unknown): readonly Plain[] => (Array.isArray(value) ? value : [])

/**
 * Every item with all it belongs to, as sorted lines: groups that say the same may be merged, which changes
 * neither an item nor what it belongs to.
 */
export function requestLines(request: Plain): readonly string[] {
  const lines: string[] = []
  const [groups] = Object.values(request)
  for (const group of asList(groups)) {
    const { scopeSpans, scopeLogs, scopeMetrics, ...resource } = group
    for (const scopeGroup of asList(scopeSpans ?? scopeLogs ?? scopeMetrics)) {
      const { spans, logRecords, metrics, ...scope } = scopeGroup
      const items = metrics === undefined ? asList(spans ?? logRecords) : asList(metrics).flatMap(pointsOf)
      for (const item of items) lines.push(line([resource, scope, item]))
    }
  }
  return lines.sort()
}

/** Each data point with its metric around it. */
function pointsOf(metric: Plain): readonly Plain[] {
  const [kind, data] = Object.entries(metric).find(([, value]) => hasPoints(value)) ?? ['', {}]
  if (!hasPoints(data)) return []
  const { dataPoints, ...rest } = data
  return dataPoints.map(point => ({ ...metric, [kind]: rest, point }))
}

function hasPoints(value: unknown): value is Plain & { readonly dataPoints: readonly Plain[] } {
  return typeof value === 'object' && value !== null && 'dataPoints' in value
}

/** JSON with sorted keys, and with NaN and the infinities, which plain JSON.stringify makes null. */
function line(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'number' && !Number.isFinite(item)) return String(item)
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
