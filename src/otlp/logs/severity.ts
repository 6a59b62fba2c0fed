/** SeverityNumber out of the text a logging library uses. Source: OpenTelemetry logs data model, appendix B. */

const words: Readonly<Record<string, number>> = {
  trace: 1,
  finest: 1,
  finer: 1,
  verbose: 1,
  debug: 5,
  dbg: 5,
  fine: 5,
  info: 9,
  information: 9,
  informational: 9,
  notice: 10,
  success: 9,
  warn: 13,
  warning: 13,
  error: 17,
  err: 17,
  severe: 17,
  critical: 21,
  crit: 21,
  alert: 21,
  fatal: 21,
  emergency: 21,
  emerg: 21,
  panic: 21,
  dpanic: 21,
}

/** 1 to 24, or 0 when the text says nothing. `WARN2` is one step above `WARN`; a single letter is enough. */
export function severityOfText(text: string): number {
  const parts = /^\s*\[?\s*([a-z]+)\s*([2-4]?)\s*\]?:?\s*$/i.exec(text)
  if (parts === null) return 0
  const word = (parts[1] ?? '').toLowerCase()
  const severity = words[word] ?? (word.length === 1 ? letters[word] : undefined) ?? 0
  const step = Number(parts[2] === '' ? 1 : parts[2])
  return severity === 0 ? 0 : severity + step - 1
}

const letters: Readonly<Record<string, number>> = {
  t: 1,
  v: 1,
  d: 5,
  i: 9,
  n: 10,
  w: 13,
  e: 17,
  c: 21,
  f: 21,
}
