/**
 * Knows which bounds of the graph were reached lately, so that whoever sends what no longer fits is told with the next
 * answers. The engine counts behind the acknowledgement, so the request that was one too many is not among them.
 */
import type { Admission, IngestRequest, IngestResult } from '../model/ingest.ts'
import type { Overflow } from '../model/overflow.ts'
import type { Signal } from '../model/telemetry.ts'

/** Between two looks at the engine's figures. */
const lookMs = 2_000
/** A sender is told for so long after something last did not fit. */
const tellMs = 60_000

interface Warning {
  readonly message: string
  readonly untilMs: number
}

export class OverflowWatch implements Admission {
  readonly #admission: Admission
  readonly #look: () => Promise<readonly Overflow[]>
  readonly #timer: NodeJS.Timeout
  #overflows: readonly Overflow[] = []
  readonly #warnings = new Map<string, Warning>()

  /** `look` resolves with what was counted since the start; it is asked every two seconds until `stop`. */
  constructor(admission: Admission, look: () => Promise<readonly Overflow[]>) {
    this.#admission = admission
    this.#look = look
    this.#timer = setInterval(() => void this.#update(), lookMs)
    this.#timer.unref()
  }

  get overflows(): readonly Overflow[] {
    return this.#overflows
  }

  submit(request: IngestRequest): Promise<IngestResult> {
    const result = this.#admission.submit(request)
    // What nearly always holds costs nothing.
    if (this.#warnings.size === 0) return result
    const warning = this.#warnings.get(keyOf(request.tenant, request.signal))
    return warning === undefined ? result : result.then(answer => withWarning(answer, warning.message))
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #update(): Promise<void> {
    const before = new Map(this.#overflows.map(one => [`${one.limit} ${one.tenant}`, one.count]))
    const now = Date.now()
    this.#overflows = await this.#look()
    for (const [key, warning] of this.#warnings) if (warning.untilMs < now) this.#warnings.delete(key)
    for (const { tenant, signal, limit, count } of this.#overflows) {
      if (count <= (before.get(`${limit} ${tenant}`) ?? 0)) continue
      this.#warnings.set(keyOf(tenant, signal), {
        message: `all items are stored, but the limit of ${limit} is reached: new ones are counted as _overflow in service figures; see diagnose_ingest`,
        untilMs: now + tellMs,
      })
    }
  }
}

function keyOf(tenant: string, signal: Signal): string {
  return `${signal} ${tenant}`
}

/** A message of the request's own is more important. */
function withWarning(result: IngestResult, message: string): IngestResult {
  return result.outcome === 'accepted' && result.message === '' ? { ...result, message } : result
}
