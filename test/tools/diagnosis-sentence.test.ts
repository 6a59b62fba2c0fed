import { describe, expect, it } from 'vitest'
import { runDiagnosis } from '../../src/tools/reading/run-diagnosis.ts'
import { baseMs, endMs, faultMs, history, patient, readerOf } from '../graph/diagnosis/asking.ts'
import type { Fault, History } from '../graph/diagnosis/synthetic-system.ts'

async function sentenceOf(fault: Fault, besides: Partial<History> = {}): Promise<string> {
  const { sentence } = await runDiagnosis(undefined, {
    reader: readerOf(history(fault, 1, besides)),
    window: { fromMs: faultMs, toMs: endMs },
    baseline: { fromMs: baseMs, toMs: faultMs },
    deadline: patient,
  })
  return sentence
}

describe('the sentence of a diagnosis', () => {
  it('tells of more traffic without a reproach while all is well', async () => {
    const sentence = await sentenceOf({ kind: 'traffic', factor: 2 })
    expect(sentence).toMatch(/^Healthy: /)
    expect(sentence).toMatch(/Traffic at gateway rose from 6\.\d+ to 1[12]\.\d+ requests\/s/)
  })

  it('names a surge that users suffer from as the cause', async () => {
    const sentence = await sentenceOf({ kind: 'traffic', factor: 3 }, { queueMs: 60 })
    expect(sentence).toMatch(/^Likely: gateway gets more traffic than the system serves in time since /)
  })

  it('tells of more traffic beside a fault', async () => {
    const sentence = await sentenceOf({ kind: 'slow', service: 'storage', ms: 60 }, { surge: 2 })
    expect(sentence).toMatch(/^Likely: storage is slow .* Traffic at gateway rose from /)
  })

  it('is silent about traffic that stays the same', async () => {
    expect(await sentenceOf({ kind: 'none' })).not.toContain('Traffic')
  })
})
