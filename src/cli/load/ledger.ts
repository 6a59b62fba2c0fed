/**
 * The ledger of a load: what the server acknowledged, so that it can be compared with what it stores. The first
 * line holds what makes the requests again, each further line one acknowledged request; a request that was
 * sent but not acknowledged is not in it, and may be stored all the same.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { InvalidInputError, NotFoundError } from '../../errors.ts'
import type { Signal } from '../../model/telemetry.ts'
import type { LoadProfile, SignalPlan } from './load-profile.ts'

export interface LedgerHead {
  readonly ledger: 'otelcontext load'
  readonly version: 1
  readonly profile: LoadProfile
  readonly plans: readonly SignalPlan[]
}

export interface LedgerLine {
  readonly signal: Signal
  readonly round: number
  /** Place of the request in its round. */
  readonly request: number
  /** Nanoseconds since the epoch, decimal. */
  readonly start_ns: string
  readonly tenant: string
  readonly items: number
  /** Of these, refused through partial success. */
  readonly rejected: number
}

/** Lines are written at once, so that the ledger is whole whatever ends the process, short of the machine. */
export class LedgerWriter {
  readonly #file: number

  /** Replaces a file of that name. */
  constructor(path: string, head: Omit<LedgerHead, 'ledger' | 'version'>) {
    this.#file = openSync(path, 'w', 0o600)
    this.#write({ ledger: 'otelcontext load', version: 1, ...head })
  }

  add(line: LedgerLine): void {
    this.#write(line)
  }

  close(): void {
    closeSync(this.#file)
  }

  #write(line: object): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`)
  }
}

export interface Ledger extends LedgerHead {
  readonly lines: readonly LedgerLine[]
}

/** Throws NotFoundError and InvalidInputError. A last line without its end was not finished and is left out. */
export function readLedger(path: string): Ledger {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new NotFoundError('no_such_file', `${path} cannot be read`, { cause: error })
  }
  const [first = '', ...rest] = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
  const head = parseHead(first)
  if (head === null) throw new InvalidInputError('bad_ledger', `${path} is not a ledger of this version`)
  const lines = rest.filter(line => line !== '').map(line => JSON.parse(line) as LedgerLine) // written above
  return { ...head, lines }
}

function parseHead(text: string): LedgerHead | null {
  try {
    const head = JSON.parse(text) as LedgerHead
    return head.ledger === 'otelcontext load' && head.version === 1 ? head : null
  } catch {
    return null
  }
}
