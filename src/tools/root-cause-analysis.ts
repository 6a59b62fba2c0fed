import { z } from 'zod'
import type { Draft } from './answer/draft.ts'
import { compared, everywhere, fields } from './arguments/vocabulary.ts'
import { causeTable, featureTable, notesOf, readOf, ruledOutTable } from './reading/diagnosis-tables.ts'
import { nextCalls, runDiagnosis } from './reading/run-diagnosis.ts'
import { defineTool, type Tool, type ToolContext } from './tool.ts'

const input = z.strictObject({
  service: fields.service,
  ...compared,
  ...everywhere,
})

async function run(args: z.output<typeof input>, context: ToolContext): Promise<Draft> {
  const done = await runDiagnosis(args.service, context)
  const { diagnosis, status, sentence, facts } = done
  return {
    status,
    answer: sentence,
    facts,
    tables: [causeTable(diagnosis), featureTable(diagnosis), ruledOutTable(diagnosis)].filter(
      table => table.rows.length > 0,
    ),
    window: diagnosis.window,
    baseline: diagnosis.baseline,
    read: readOf(diagnosis),
    notes: notesOf(diagnosis),
    next: await nextCalls(done, context),
  }
}

export const rootCauseAnalysis: Tool = defineTool({
  name: 'root_cause_analysis',
  title: 'Ranked causes for one service',
  description:
    'The ranking alone for the symptom of one service: every feature with value, weight and evidence. score = 1/(1+exp(-(score_bias+sum(value*weight)))).',
  input,
  examples: [{ service: 'checkout', from: 'now-30m' }],
  maxTokens: 2_000,
  rows: 1_000,
  window: 'compared',
  memo: true,
  run,
})
