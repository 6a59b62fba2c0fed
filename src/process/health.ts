/** How the process is, in named checks with figures, from what engine and pool say of themselves. */
import type { Engine, EngineFigures } from '../engine/engine.ts'
import type { InvariantRow } from '../engine/sealing/invariant.ts'
import type { HealthCheck, HealthPort, HealthReport, HealthStatus } from '../model/health.ts'

/** Sealing runs every two seconds; a minute behind means that something holds it up. */
const lagWarningMs = 60_000
const inboxWarningShare = 0.7
/** Below this, requests will soon be refused for want of disk. */
const diskWarningBytes = 1024 * 1024 * 1024

export function createHealth(engine: Engine): HealthPort {
  return { report: async () => reportOf(await engine.figures()) }
}

function reportOf(figures: EngineFigures): HealthReport {
  return {
    store: storeCheck(figures),
    engine: engineCheck(figures),
    inbox: inboxCheck(figures),
    sealing: sealingCheck(figures),
    dead_letters: deadLetterCheck(figures),
    disk: diskCheck(figures),
    books: booksCheck(figures),
  }
}

function check(status: HealthStatus, detail: string, values: HealthCheck['figures']): HealthCheck {
  return { status, detail, figures: values }
}

/** A store that is away costs inbox space, not data, so it is no reason to take traffic away. */
function storeCheck({ engine, waitingFor }: EngineFigures): HealthCheck {
  if (engine === null) return check('warning', waitingFor ?? 'the engine is being restarted', {})
  const fault = engine.storeFault
  return check(fault === null ? 'ok' : 'warning', fault ?? '', {
    segments: engine.stored?.segments ?? null,
    stored_bytes: engine.stored?.bytes ?? null,
    disk_bytes: engine.maintenance.diskBytes,
    disk_budget_bytes: engine.maintenance.diskBudgetBytes,
    rows_behind_retention: engine.maintenance.rowsBehind,
    damaged_segments: engine.maintenance.damagedSegments,
    seals: engine.seals,
    last_seal_unix_ms: engine.lastSealMs,
  })
}

function engineCheck({ engine, waitingFor }: EngineFigures): HealthCheck {
  if (engine === null) {
    const reason = waitingFor === null ? 'the engine is being restarted' : 'the engine waits for the store'
    return check('warning', reason, {})
  }
  const { missingRows, uncounted, lagMs, tenants } = engine
  const trouble =
    missingRows > 0
      ? `${missingRows} inbox rows are missing`
      : uncounted > 0
        ? `${uncounted} entries are not in rollups`
        : ''
  const late = lagMs > lagWarningMs ? `answers are ${Math.round(lagMs / 1_000)} s behind` : ''
  const detail = [trouble, late].filter(text => text !== '').join('; ')
  return check(detail === '' ? 'ok' : 'warning', detail, {
    lag_ms: lagMs,
    tenants,
    missing_rows: missingRows,
    uncounted,
  })
}

function inboxCheck({ inbox, alarm, waiting, draining }: EngineFigures): HealthCheck {
  if (inbox === null) return check('critical', 'the inbox is being restarted', {})
  const share = inbox.maxBytes === 0 ? 0 : inbox.bytes / inbox.maxBytes
  const problem = alarm ?? inbox.fault ?? (draining ? 'draining' : null)
  const full = share >= 1 ? 'full' : share > inboxWarningShare ? 'filling up' : ''
  const status = problem !== null || share >= 1 ? 'critical' : full === '' ? 'ok' : 'warning'
  return check(status, problem ?? full, {
    bytes: inbox.bytes,
    max_bytes: inbox.maxBytes,
    fill_pct: Math.round(share * 1_000) / 10,
    waiting_requests: waiting.requests,
    waiting_bytes: waiting.bytes,
    last_commit_unix_ms: inbox.lastCommitMs,
  })
}

function sealingCheck({ engine, inbox }: EngineFigures): HealthCheck {
  if (engine === null || inbox === null) return check('warning', 'not known at the moment', {})
  const unsealed = Math.max(0, inbox.lastPosition - engine.sealedPosition)
  const sinceMs = engine.lastSealMs === 0 ? 0 : Date.now() - engine.lastSealMs
  const stuck = unsealed > 0 && sinceMs > lagWarningMs
  return check(stuck ? 'warning' : 'ok', stuck ? `nothing sealed for ${Math.round(sinceMs / 1_000)} s` : '', {
    unsealed_positions: unsealed,
    sealed_position: engine.sealedPosition,
    unsealed_items: engine.unsealedItems,
  })
}

function deadLetterCheck({ engine }: EngineFigures): HealthCheck {
  if (engine === null) return check('warning', 'not known at the moment', {})
  const { files, bytes } = engine.deadLetters
  return check(files > 0 ? 'warning' : 'ok', files > 0 ? `${files} entries could not be processed` : '', {
    files,
    bytes,
  })
}

function diskCheck({ inbox }: EngineFigures): HealthCheck {
  if (inbox === null) return check('warning', 'not known at the moment', {})
  const low = inbox.freeDiskBytes < diskWarningBytes
  return check(low ? 'warning' : 'ok', low ? 'less than 1 GiB of disk is free' : '', {
    free_bytes: inbox.freeDiskBytes,
  })
}

/** accepted = sealed + waiting + given up + duplicates, sealed = stored + merged + removed, per tenant and signal. */
function booksCheck({ engine }: EngineFigures): HealthCheck {
  const rows = engine?.invariant ?? null
  if (rows === null) return check('ok', 'not counted while sealing is far behind', {})
  const wrong = rows.filter(row => row.difference !== 0 || row.storeDifference !== 0)
  const total = (pick: (row: InvariantRow) => number): number => rows.reduce((sum, row) => sum + pick(row), 0)
  return check(
    wrong.length > 0 ? 'warning' : 'ok',
    wrong.length > 0 ? 'accepted items are not all accounted for' : '',
    {
      accepted: total(row => row.accepted),
      sealed: total(row => row.sealed),
      waiting: total(row => row.waiting),
      given_up: total(row => row.buried),
      duplicates: total(row => row.deduplicated),
      difference: total(row => Math.abs(row.difference)),
      stored: total(row => row.stored),
      merged_duplicates: total(row => row.merged),
      removed: total(row => row.removed),
      store_difference: total(row => Math.abs(row.storeDifference)),
    },
  )
}
