/** Results as SVG that a person can read: how far each goal is, and curves over sizes. */
import { type Curve, type Figure, shown } from '../rows/row.ts'

const font = 'font-family="system-ui, sans-serif" font-size="13"'
const good = '#1b7f4b'
const bad = '#c2410c'
const ink = '#1f2937'
const faint = '#9ca3af'
const palette = ['#2563eb', '#c2410c', '#1b7f4b', '#7c3aed']

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function svg(title: string, width: number, height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

/** How much of its goal a figure has: 1 at the goal, more is better. Null where the goal is no number. */
function shareOfGoal(figure: Figure): number | null {
  const number = Number(/([\d,.]+)$/.exec(figure.goal)?.[1]?.replaceAll(',', ''))
  if (!Number.isFinite(number) || !(figure.value > 0)) return null
  return figure.goal.startsWith('at least') ? figure.value / number : number / figure.value
}

/** A bar a figure, on a logarithmic scale around the goal. */
export function goalsChart(figures: readonly Figure[]): string {
  const shown100 = figures.flatMap(figure => {
    const share = figure.reached === null ? null : shareOfGoal(figure)
    return share === null ? [] : [{ figure, share }]
  })
  const [left, right, line] = [470, 330, 22]
  const width = left + right + 220
  const height = shown100.length * line + 64
  // A tenth of the goal on the left, ten times it on the right.
  const x = (share: number): number =>
    left + ((Math.log10(Math.min(10, Math.max(0.1, share))) + 1) / 2) * right
  const parts = [0.1, 0.2, 0.5, 1, 2, 5, 10].flatMap(tick => [
    `<line x1="${x(tick)}" y1="34" x2="${x(tick)}" y2="${height - 22}" stroke="${tick === 1 ? ink : '#e5e7eb'}"/>`,
    `<text x="${x(tick)}" y="28" text-anchor="middle" fill="${tick === 1 ? ink : faint}" ${font}>${tick === 1 ? 'goal' : `${tick}x`}</text>`,
  ])
  for (const [at, { figure, share }] of shown100.entries()) {
    const y = 40 + at * line
    const colour = figure.reached === true ? good : bad
    const from = Math.min(x(1), x(share))
    const size = Math.max(2, Math.abs(x(share) - x(1)))
    const name = figure.what.length > 66 ? `${figure.what.slice(0, 65)}…` : figure.what
    parts.push(
      `<text x="${left - 10}" y="${y + 14}" text-anchor="end" fill="${ink}" ${font}>${escaped(name)}</text>`,
      `<rect x="${from}" y="${y + 3}" width="${size}" height="14" fill="${colour}"/>`,
      `<text x="${left + right + 12}" y="${y + 14}" fill="${colour}" ${font}>${escaped(`${shown(figure.value)} ${figure.unit}`)}</text>`,
    )
  }
  parts.push(
    `<text x="${left}" y="${height - 6}" fill="${faint}" ${font}>left of the line: short of the goal; logarithmic</text>`,
  )
  return svg('How far each goal is', width, height, parts)
}

/** Lines over a logarithmic x axis, each series on a panel of its own, from zero. */
export function curveChart(curve: Curve): string {
  const series = [...new Set(curve.points.map(point => point.series))]
  const [panel, margin, width] = [180, 70, 640]
  const height = 40 + series.length * (panel + 40) + 30
  const xs = curve.points.map(point => Math.log10(point.x))
  const [low, high] = [Math.min(...xs), Math.max(...xs)]
  const x = (value: number): number =>
    margin + ((Math.log10(value) - low) / Math.max(1e-9, high - low)) * (width - margin * 2)
  const parts = [
    `<text x="${margin}" y="24" fill="${ink}" ${font} font-weight="600">${escaped(curve.title)}</text>`,
  ]
  for (const [at, name] of series.entries()) {
    const points = curve.points.filter(point => point.series === name)
    const top = 50 + at * (panel + 40)
    const most = Math.max(...points.map(point => point.y)) * 1.15
    const y = (value: number): number => top + panel - (value / most) * panel
    const colour = palette[at % palette.length] ?? ink
    parts.push(
      `<line x1="${margin}" y1="${top + panel}" x2="${width - margin}" y2="${top + panel}" stroke="${faint}"/>`,
      `<text x="${margin}" y="${top - 2}" fill="${colour}" ${font}>${escaped(name)}</text>`,
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${points.map(point => `${x(point.x)},${y(point.y)}`).join(' ')}"/>`,
    )
    for (const point of points) {
      parts.push(
        `<circle cx="${x(point.x)}" cy="${y(point.y)}" r="4" fill="${colour}"/>`,
        `<text x="${x(point.x)}" y="${y(point.y) - 9}" text-anchor="middle" fill="${ink}" ${font}>${shown(point.y)}</text>`,
        `<text x="${x(point.x)}" y="${top + panel + 17}" text-anchor="middle" fill="${faint}" ${font}>${shown(point.x)}</text>`,
      )
    }
  }
  parts.push(
    `<text x="${width / 2}" y="${height - 10}" text-anchor="middle" fill="${faint}" ${font}>${escaped(curve.xTitle)}</text>`,
  )
  return svg(curve.title, width, height, parts)
}
