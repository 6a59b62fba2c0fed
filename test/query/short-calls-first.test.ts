import { getPriority } from 'node:os'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import type { Deadline } from '../../src/model/reader.ts'
import { ShortCallsFirst } from '../../src/query/short-calls-first.ts'

const patient: Deadline = { signal: new AbortController().signal, check: () => undefined }

/** Runs `code` in a thread, with the module as `module`; what it gives to `tell`. */
async function inThread(code: string): Promise<unknown> {
  const module = new URL('../../src/query/short-calls-first.ts', import.meta.url).href
  const source = `
    const { parentPort } = require('node:worker_threads')
    const os = require('node:os')
    import(${JSON.stringify(module)}).then(module => parentPort.postMessage((() => { ${code} })()))`
  const worker = new Worker(source, { eval: true })
  try {
    return await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
  } finally {
    await worker.terminate()
  }
}

class Priority {
  readonly usualNice: number
  readonly mayRaise: boolean
  readonly calls: number[] = []

  constructor(usualNice = 0, mayRaise = true) {
    this.usualNice = usualNice
    this.mayRaise = mayRaise
  }

  set(nice: number): boolean {
    if (!this.mayRaise && nice < this.usualNice) return false
    this.calls.push(nice)
    return true
  }
}

describe('short calls first', () => {
  it('goes first until a call turns out to be long, and again once it has ended', () => {
    const priority = new Priority()
    let nowMs = 0
    const first = new ShortCallsFirst(priority, () => nowMs)
    expect(priority.calls).toEqual([-5])
    const deadline = first.begin(patient)
    nowMs = 100
    deadline.check()
    expect(priority.calls).toEqual([-5])
    nowMs = 101
    deadline.check()
    deadline.check()
    expect(priority.calls).toEqual([-5, 0])
    first.end()
    expect(priority.calls).toEqual([-5, 0, -5])
    first.begin(patient).check()
    first.end()
    expect(priority.calls).toEqual([-5, 0, -5])
  })

  it('lets the deadline of the call speak first', () => {
    const over = new Error('over')
    const deadline: Deadline = {
      signal: patient.signal,
      check: () => {
        throw over
      },
    }
    const first = new ShortCallsFirst(new Priority(), () => 0)
    expect(() => first.begin(deadline).check()).toThrow(over)
  })

  it.each([
    ['the system does not let it', new Priority(0, false)],
    ['the process was made nice', new Priority(5)],
  ])('changes nothing where %s', (_, priority) => {
    let nowMs = 0
    const first = new ShortCallsFirst(priority, () => nowMs)
    const deadline = first.begin(patient)
    nowMs = 1_000
    deadline.check()
    first.end()
    expect(priority.calls).toEqual([])
    expect(deadline).toBe(patient)
  })

  it('concerns the thread that asks for it alone', async () => {
    const before = getPriority()
    const told = await inThread(`
      let may = process.platform === 'linux' && os.getPriority(0) === 0
      try { os.setPriority(0, -1); os.setPriority(0, 0) } catch { may = false }
      new module.ShortCallsFirst(module.threadPriority(), () => 0)
      return { isAsAllowed: os.getPriority(0) === (may ? -5 : ${before}) }`)
    expect(told).toEqual({ isAsAllowed: true })
    expect(getPriority()).toBe(before)
  })
})
