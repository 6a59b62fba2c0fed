import { z } from 'zod'
import type { Draft } from './answer/draft.ts'
import { compared, everywhere, fields } from './arguments/vocabulary.ts'
import {
  affectedTable,
  causeTable,
  changeTable,
  exemplarTable,
  featureTable,
  notesOf,
  onsetTable,
  propagationTable,
  readOf,
  ruledOutTable,
} from './reading/diagnosis-tables.ts'
import { nextCalls, runDiagnosis } from './reading/run-diagnosis.ts'
import { defineTool, type Tool, type ToolContext } from './tool.ts'

const input = z.strictObject({
  service: fields.service.optional().describe('that raised the alarm'),
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
    tables: [
      causeTable(diagnosis),
      featureTable(diagnosis),
      affectedTable(diagnosis),
      onsetTable(diagnosis),
      changeTable(diagnosis),
      ruledOutTable(diagnosis),
      exemplarTable(diagnosis),
      propagationTable(diagnosis),
    ].filter(table => table.rows.length > 0),
    window: diagnosis.window,
    baseline: diagnosis.baseline,
    read: readOf(diagnosis),
    notes: notesOf(diagnosis),
    next: await nextCalls(done, context),
  }
}

export const investigate: Tool = defineTool({
  name: 'investigate',
  title: 'What is wrong and why',
  description:
    'Start here. What is wrong, since when, why, who is hit, how sure: verdict (confirmed, likely, inconclusive, healthy, insufficient_data), ranked causes with evidence, what was ruled out, onsets, affected callers, changes, exemplar traces. No service needed.',
  input,
  examples: [
    {},
    { service: 'checkout', from: 'now-30m' },
    {
      from: '2026-01-31T12:00:00Z',
      to: '2026-01-31T12:10:00Z',
      baseline_from: '2026-01-31T11:00:00Z',
      baseline_to: '2026-01-31T11:30:00Z',
    },
  ],
  maxTokens: 2_000,
  rows: 1_000,
  window: 'compared',
  memo: false,
  run,
})
