/** Text tables for a terminal. Widths count characters; cells never hold control characters. */

const gap = '  '

/** Rows under a header line; numbers are aligned right; no cell is wider than `maxWidth`. */
export function renderColumns(
  header: readonly string[],
  rows: readonly (readonly unknown[])[],
  maxWidth = 80,
): string {
  const cells = rows.map(row => header.map((_, index) => cellText(row[index], maxWidth)))
  const widths = header.map((name, index) =>
    Math.max(name.length, ...cells.map(row => row[index]?.length ?? 0)),
  )
  const numeric = header.map((_, index) => rows.length > 0 && rows.every(row => isNumeric(row[index])))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, index) =>
        numeric[index] ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0),
      )
      .join(gap)
      .trimEnd()
  return [line(header), ...cells.map(line)].join('\n')
}

function isNumeric(value: unknown): boolean {
  return value === null || typeof value === 'number'
}

function cellText(value: unknown, maxWidth: number): string {
  const text =
    value === null || value === undefined
      ? '-'
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal must never act on stored telemetry
  const plain = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
  return plain.length > maxWidth ? `${plain.slice(0, maxWidth - 1)}…` : plain
}
