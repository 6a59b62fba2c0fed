/**
 * Releases: a version that the baseline has not seen, on a service against which there is other evidence, and
 * whose traces with the new version show it more than those with the old one. It counts for no more than that
 * evidence does: releases go out all day, and beside a sliver of noise one would otherwise be the reason by itself.
 */

import type { FeatureName } from './diagnosis.ts'
import type { Evidence } from './evidence.ts'
import { type Finding, makeFeature } from './finding.ts'
import { sumOf, weights } from './score.ts'

/** What a new version may do to a service without being any the worse for it: need other resources, answer sooner. */
const harmless: ReadonlySet<FeatureName> = new Set(['resource', 'hasty_answers'])

export function releaseFeatures(evidence: Evidence, found: readonly Finding[]): readonly Finding[] {
  const released = newVersions(evidence)
  const findings: Finding[] = []
  for (const [service, version] of released) {
    const own = found.filter(finding => finding.service === service && !harmless.has(finding.feature.name))
    const bad = new Set(own.flatMap(finding => [...finding.traces]))
    if (bad.size === 0) continue
    const on = tracesOn(evidence, service, version)
    const off = tracesOff(evidence, service, version)
    const badOn = [...bad].filter(trace => on.has(trace)).length
    const badOff = [...bad].filter(trace => off.has(trace)).length
    const shareOn = on.size === 0 ? 0 : badOn / on.size
    const shareOff = off.size === 0 ? 0 : badOff / off.size
    const part = shareOn <= shareOff ? 0 : (shareOn - shareOff) / shareOn
    const other = sumOf(own.map(({ feature }) => feature))
    const value = part * Math.min(1, other / weights.release)
    if (value === 0) continue
    const measured = {
      traces_on_version: on.size,
      bad_on_version: badOn,
      traces_on_others: off.size,
      bad_on_others: badOff,
      other_evidence: other,
    }
    const handles = [{ kind: 'version', service, version } as const]
    findings.push({
      service,
      peer: false,
      feature: makeFeature('release', value, measured, handles),
      place: { version },
      traces: new Set(),
      onsetMs: null,
    })
  }
  return findings
}

/** Versions with requests in the window and none in the baseline, for services the baseline knows. */
function newVersions(evidence: Evidence): ReadonlyMap<string, string> {
  const before = versionsOf(evidence, 'baseline')
  const fresh = new Map<string, string>()
  for (const [service, versions] of [...versionsOf(evidence, 'window')].sort((a, b) =>
    a[0] < b[0] ? -1 : 1,
  )) {
    const known = before.get(service)
    if (known === undefined) continue
    for (const version of [...versions].sort()) {
      if (version !== '' && !known.has(version)) fresh.set(service, version)
    }
  }
  return fresh
}

function versionsOf(evidence: Evidence, which: 'window' | 'baseline'): Map<string, Set<string>> {
  const versions = new Map<string, Set<string>>()
  const view = which === 'window' ? evidence.windowView : evidence.baselineView
  for (const series of view.series('instance')) {
    const [service = '', , version = ''] = series.key
    if (!series.count.some(count => count > 0)) continue
    const own = versions.get(service) ?? new Set()
    versions.set(service, own.add(version))
  }
  return versions
}

function tracesOn(evidence: Evidence, service: string, version: string): ReadonlySet<number> {
  return tracesWhere(evidence, service, other => other === version)
}

function tracesOff(evidence: Evidence, service: string, version: string): ReadonlySet<number> {
  return tracesWhere(evidence, service, other => other !== version)
}

function tracesWhere(
  evidence: Evidence,
  service: string,
  wanted: (version: string) => boolean,
): ReadonlySet<number> {
  const { set } = evidence.window
  const id = evidence.names.id(service)
  const traces = new Set<number>()
  for (let row = 0; row < set.spans; row++) {
    if (set.service[row] !== id || set.entry[row] !== row) continue
    if (wanted(evidence.names.text(set.version[row] ?? 0))) traces.add(set.trace[row] ?? 0)
  }
  return traces
}
