/** The one vocabulary of arguments: each has the same name, form and meaning in every tool that takes it. */
import { z } from 'zod'

/** Bounds of `max_tokens`; below the lower one not even coverage and handles would fit. */
export const tokenBudget: { readonly min: number; readonly max: number } = { min: 300, max: 20_000 }

/** Most rows one call may ask for. */
export const rowLimit: number = 1_000

type TimeField = z.ZodUnion<readonly [z.ZodString, z.ZodNumber]>

export interface VocabularyFields {
  readonly service: z.ZodString
  readonly operation: z.ZodString
  readonly trace_id: z.ZodString
  readonly query: z.ZodString
  readonly severity: z.ZodEnum<{
    trace: 'trace'
    debug: 'debug'
    info: 'info'
    warn: 'warn'
    error: 'error'
    fatal: 'fatal'
  }>
  readonly from: TimeField
  readonly to: TimeField
  readonly limit: z.ZodInt
  readonly cursor: z.ZodString
  readonly max_tokens: z.ZodInt
  readonly as_of: z.ZodString
  readonly region: z.ZodString
  readonly environment: z.ZodString
  readonly tenant: z.ZodString
}

const time: TimeField = z.union([z.string().min(1).max(40), z.number()])
const name: z.ZodString = z.string().min(1).max(300)

export const fields: VocabularyFields = {
  service: name,
  operation: name,
  trace_id: z.string().regex(/^[0-9a-fA-F]{8,32}$/, '8 to 32 hexadecimal digits'),
  query: z.string().min(1).max(500),
  severity: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']),
  from: time,
  to: time,
  limit: z.int().min(1).max(rowLimit),
  cursor: z.string().min(1).max(200),
  max_tokens: z.int().min(tokenBudget.min).max(tokenBudget.max),
  as_of: z.string().min(1).max(60),
  region: name,
  environment: name,
  tenant: z.string().min(1).max(128),
}

type Optional<T extends z.ZodType> = z.ZodOptional<T>

/** Arguments every tool takes: the budget, the position to answer from, and for operators the tenant. */
export const everywhere: {
  readonly max_tokens: Optional<z.ZodInt>
  readonly as_of: Optional<z.ZodString>
  readonly tenant: Optional<z.ZodString>
} = {
  max_tokens: fields.max_tokens.optional(),
  as_of: fields.as_of.optional(),
  tenant: fields.tenant.optional(),
}

/** The window, half-open. */
export const windowed: { readonly from: Optional<TimeField>; readonly to: Optional<TimeField> } = {
  from: fields.from.optional().describe('RFC 3339, epoch, now-15m, -2h; default -30m'),
  to: fields.to.optional(),
}

/** The window and what it is compared with; default: the healthy time before. */
export const compared: {
  readonly from: Optional<TimeField>
  readonly to: Optional<TimeField>
  readonly baseline_from: Optional<TimeField>
  readonly baseline_to: Optional<TimeField>
} = {
  ...windowed,
  baseline_from: fields.from.optional().describe('default: before from'),
  baseline_to: fields.to.optional(),
}
