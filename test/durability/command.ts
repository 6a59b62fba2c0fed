/**
 * What the commands of this folder share: `--help`, whole-number options, progress on stdout, runs that go on where
 * they were interrupted, and exit code 1 for a finding.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'

export interface NumberOption {
  readonly default: number
  readonly help: string
}

export interface CommandDescription {
  /** As a person starts it. */
  readonly usage: string
  readonly description: string
  readonly options: Readonly<Record<string, NumberOption>>
  /** It runs in one go, without seeds that `--state` could remember. */
  readonly inOneGo?: true
}

export interface CommandLine {
  readonly numbers: Readonly<Record<string, number>>
  /** Options that were written out. */
  readonly given: ReadonlySet<string>
  /** File that remembers finished seeds; null without `--state`. */
  readonly state: string | null
}

/** Prints help or a complaint and ends the process where the command line asks for it. */
export function readCommandLine(command: CommandDescription): CommandLine {
  const names = Object.keys(command.options)
  const options: Record<string, { readonly type: 'string' | 'boolean' }> = {
    ...Object.fromEntries(names.map(name => [name, { type: 'string' }] as const)),
    ...(command.inOneGo ? {} : { state: { type: 'string' } as const }),
    help: { type: 'boolean' },
  }
  try {
    const { values } = parseArgs({ options })
    if (values['help'] === true) {
      say(helpOf(command))
      process.exit(0)
    }
    const numbers = Object.fromEntries(
      names.map(name => [name, readNumber(name, values[name], command.options[name]?.default ?? 0)]),
    )
    const given = new Set(names.filter(name => values[name] !== undefined))
    return { numbers, given, state: typeof values['state'] === 'string' ? values['state'] : null }
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n\n${helpOf(command)}`)
    process.exit(2)
  }
}

function readNumber(name: string, given: unknown, fallback: number): number {
  if (given === undefined) return fallback
  const value = Number(given)
  if (!Number.isSafeInteger(value) || value < 0)
    throw new Error(`--${name} takes a whole number, not ${String(given)}`)
  return value
}

function helpOf(command: CommandDescription): string {
  const lines = Object.entries(command.options).map(
    ([name, option]) => `  --${`${name} N`.padEnd(14)} ${option.help} (default ${option.default})`,
  )
  return [
    `usage: ${command.usage}`,
    '',
    command.description,
    '',
    ...lines,
    ...(command.inOneGo
      ? []
      : [
          `  --${'state FILE'.padEnd(14)} remember finished seeds there, and leave them out when started again`,
        ]),
    `  --${'help'.padEnd(14)} this text`,
    '',
    `exit code: 0 nothing found, 1 a finding${command.inOneGo ? '' : ' (its seed is printed)'}, 2 a command line that cannot be read`,
  ].join('\n')
}

export function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Seeds that are done, and what was counted in them. */
export class Progress {
  readonly #file: string | null
  readonly #done: Map<string, Readonly<Record<string, number>>>

  constructor(file: string | null) {
    this.#file = file
    this.#done = new Map(file !== null && existsSync(file) ? readState(file) : [])
  }

  has(key: string | number): boolean {
    return this.#done.has(String(key))
  }

  /** Written aside and renamed, so that an interruption leaves the file whole. */
  add(key: string | number, figures: Readonly<Record<string, number>>): void {
    this.#done.set(String(key), figures)
    if (this.#file === null) return
    mkdirSync(dirname(this.#file), { recursive: true })
    writeFileSync(`${this.#file}.new`, JSON.stringify([...this.#done]))
    renameSync(`${this.#file}.new`, this.#file)
  }

  /** Sums over everything done, earlier runs included; `max...` figures by their largest, `min...` by their smallest. */
  totals(): Readonly<Record<string, number>> {
    const totals: Record<string, number> = {}
    for (const figures of this.#done.values())
      for (const [name, value] of Object.entries(figures)) {
        const known = totals[name]
        totals[name] = known === undefined ? value : joined(name, known, value)
      }
    return totals
  }
}

function joined(name: string, known: number, value: number): number {
  if (name.startsWith('max')) return Math.max(known, value)
  return name.startsWith('min') ? Math.min(known, value) : known + value
}

function readState(file: string): [string, Readonly<Record<string, number>>][] {
  // Our own file; a damaged one is no reason to start over in silence, so parsing may throw.
  return JSON.parse(readFileSync(file, 'utf8')) as [string, Readonly<Record<string, number>>][]
}

/** `a 1, b 2` */
export function figuresText(figures: Readonly<Record<string, number>>): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${Math.round(value)}`)
    .join(', ')
}
