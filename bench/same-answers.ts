/**
 * Whether the answer of `investigate` hangs on anything but data and arguments: every case goes through real servers, and
 * is asked twice at the first, again at one whose store is Postgres, and again at one that got the requests in
 * another order.
 *
 *   npm run bench:same-answers -- --cases DIR [--only GLOB] [--jobs N]
 *
 * Twice: the same bytes. Postgres: the same but for `as_of` and `result_id`. Another order: the same verdict and ranking.
 * One JSON line per case; ends with 1 if anything differs.
 */
import { type PostgresServer, startPostgres } from '../scripts/postgres-server.ts'
import { readOptions, refuse } from './command-line.ts'
import { findCases, type IncidentCase } from './incidents/cases.ts'
import { configurationHash } from './incidents/configuration.ts'
import { shuffled } from './incidents/disguise.ts'
import { readAnswer, wholeAnswer } from './incidents/question.ts'
import { withServedCase } from './incidents/served-case.ts'

const help = `usage: npm run bench:same-answers -- --cases DIR [--only GLOB] [--jobs N]

  --cases DIR   labelled incidents, a folder each, at any depth
  --only GLOB   those whose names match
  --jobs N      cases side by side (default 2)
  --help        this text

Exit code 1 if an answer differs that must not.`
const values = readOptions(help, {
  cases: { type: 'string', default: '' },
  only: { type: 'string', default: '' },
  jobs: { type: 'string', default: '2' },
})
if (values.cases === '') refuse(help, 'name a folder with --cases')
const cases = findCases(values.cases, values.only)
const queue = [...cases]
let databases = 0
const differing = { twice: 0, postgres: 0, order: 0, failed: 0 }
const postgres = await startPostgres()
try {
  await Promise.all(Array.from({ length: Math.max(1, Number(values.jobs)) }, compareQueue))
} finally {
  await postgres.remove()
}
console.log(JSON.stringify({ cases: cases.length, differing, configuration: configurationHash() }))
process.exit(Object.values(differing).every(count => count === 0) ? 0 : 1)

async function compareQueue(): Promise<void> {
  for (let incident = queue.shift(); incident !== undefined; incident = queue.shift()) {
    try {
      await compare(incident, postgres)
    } catch (error) {
      differing.failed++
      console.error(`${incident.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}

async function compare(incident: IncidentCase, server: PostgresServer): Promise<void> {
  const [first, second] = await withServedCase(incident, async url => [
    await wholeAnswer(url, incident),
    await wholeAnswer(url, incident),
  ])
  const elsewhere = await onPostgres(incident, server)
  const reordered = await withServedCase(incident, url => wholeAnswer(url, incident), {
    arrange: requests => shuffled(requests, incident.name),
  })
  const same = {
    twice: first === second,
    postgres: withoutIdentity(first ?? '') === withoutIdentity(elsewhere),
    order: JSON.stringify(readAnswer(first ?? '')) === JSON.stringify(readAnswer(reordered)),
  }
  for (const [what, alike] of Object.entries(same)) {
    if (!alike) differing[what as keyof typeof same]++
  }
  console.log(JSON.stringify({ case: incident.name, ...same }))
}

/** In a database of its own, dropped afterwards. */
async function onPostgres(incident: IncidentCase, server: PostgresServer): Promise<string> {
  const name = `case_${++databases}`
  await server.run(`CREATE DATABASE ${name} TEMPLATE template0`)
  try {
    const environment = { DB_DRIVER: 'postgres', DB_DSN: server.dsn(name) }
    return await withServedCase(incident, url => wholeAnswer(url, incident), { environment })
  } finally {
    await server.run(`DROP DATABASE ${name} WITH (FORCE)`)
  }
}

/** An answer without what names the inbox and the moment: two servers never share these. */
function withoutIdentity(text: string): string {
  const { as_of, result_id, ...answer } = JSON.parse(text) as Readonly<Record<string, unknown>> // the tool's output schema
  return as_of === undefined || result_id === undefined ? text : JSON.stringify(answer)
}
