/**
 * Whether answers about labelled incidents hang on what a data set calls its services, on when it was recorded or on the
 * order of arrival: renames, moves everything by years, shuffles the requests, and compares the rankings. In process.
 *
 *   npm run bench:disguise -- --cases DIR [--only GLOB]
 *
 * One JSON line per case; ends with 1 if a ranking changed other than between exact ties.
 */
import type { Judgement } from '../src/graph/diagnosis/judge.ts'
import { readOptions, refuse } from './command-line.ts'
import { findCases, type IncidentCase } from './incidents/cases.ts'
import { configurationHash } from './incidents/configuration.ts'
import { Disguise, shuffled } from './incidents/disguise.ts'
import { holdCase, judgeCase } from './incidents/held-case.ts'
import type { ExportRequest } from './incidents/send.ts'

const help = `usage: npm run bench:disguise -- --cases DIR [--only GLOB]

  --cases DIR   labelled incidents, a folder each, at any depth
  --only GLOB   those whose names match
  --help        this text

Exit code 1 if a ranking changed other than between exact ties.`
const values = readOptions(help, {
  cases: { type: 'string', default: '' },
  only: { type: 'string', default: '' },
})
if (values.cases === '') refuse(help, 'name a folder with --cases')
let changed = 0
const cases = findCases(values.cases, values.only)
for (const incident of cases) {
  const plain = rankingOf(await judgeCase(holdCase(incident, {}), incident))
  const disguise = new Disguise()
  const again = rankingOf(await judgeDisguised(incident, disguise))
  const named = plain.causes.map(({ service, score }) => ({ service: disguise.nameOf(service), score }))
  const same =
    plain.verdict === again.verdict &&
    JSON.stringify(tiesByName(named)) === JSON.stringify(tiesByName(again.causes))
  if (!same) changed++
  console.log(
    JSON.stringify({
      case: incident.name,
      same,
      ...(same ? {} : { plain: { ...plain, causes: named }, again }),
    }),
  )
}
console.error(`configuration ${configurationHash()}: ${changed} of ${cases.length} answers changed`)
process.exit(changed === 0 ? 0 : 1)

function judgeDisguised(incident: IncidentCase, disguise: Disguise): Promise<Judgement> {
  const asked = disguise.ask(incident)
  const change = (request: Parameters<Disguise['change']>[0]) => disguise.change(request)
  const arrange = (requests: readonly ExportRequest[]) => shuffled(requests, incident.name)
  return judgeCase(holdCase(incident, { change }, { asked, arrange }), asked)
}

interface Ranked {
  readonly service: string
  readonly score: number
}

function rankingOf({ verdict, named }: Judgement) {
  const causes = named.map(({ cause }): Ranked => ({ service: cause.location.service, score: cause.score }))
  return { verdict, causes }
}

/** Equal scores in the order of their names: which of them comes first is told by the name and nothing else. */
function tiesByName(causes: readonly Ranked[]): readonly Ranked[] {
  return [...causes].sort((a, b) => b.score - a.score || (a.service < b.service ? -1 : 1))
}
