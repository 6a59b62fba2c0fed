/**
 * Conditions that any route or command may run into, by its name: waiting for something, failing, leaving its
 * work out, or keeping what it should let go.
 */
import { chanceOf } from './chance.ts'
import type { Control } from './control.ts'
import { field, settingNumber } from './fields.ts'
import type { Routes } from './http-service.ts'
import { pause } from './pause.ts'

/** Waits and fails as `slow NAME` and `fail NAME` say now. Throws what `fail` says. */
export type MeetConditions = (name: string) => Promise<void>

export function conditionsOf(control: Control): MeetConditions {
  const chance = chanceOf(`${control.identity.instance} conditions`)
  const hits = (settings: unknown): boolean => chance.next() < settingNumber(settings, 'share')
  return async name => {
    const slow = control.settingsOf(`slow ${name}`)
    if (hits(slow)) {
      await pause(chance.between(settingNumber(slow, 'fromMs'), settingNumber(slow, 'toMs')))
    }
    const fail = control.settingsOf(`fail ${name}`)
    if (hits(fail)) throw new Error(String(field(fail, 'message')))
  }
}

/** The same routes, each under the conditions of its name. */
export function underConditions(routes: Routes, control: Control): Routes {
  const meet = conditionsOf(control)
  const keep = keeper(control)
  return Object.fromEntries(
    Object.entries(routes).map(([name, handler]) => [
      name,
      async request => {
        keep()
        await meet(name)
        // Somebody caught what went wrong in there, and answers what callers expect.
        const skip = control.settingsOf(`skip ${name}`)
        return skip === undefined ? await handler(request) : field(skip, 'body')
      },
    ]),
  )
}

/** Entries per kept kilobyte: one takes about 128 bytes. */
const entriesPerKilobyte = 8
/** Pages are let go beyond this, lest the machine swap. */
const keptPagesLimit = 160

interface KeptEntry {
  readonly key: string
  readonly atMs: number
  readonly seen: readonly number[]
}

/** A session cache that forgets nothing (`keep-sessions`): every request adds a page and looks through all of them. */
function keeper(control: Control): () => void {
  const pages: (readonly KeptEntry[])[] = []
  return () => {
    const settings = control.settingsOf('keep-sessions')
    if (settings === undefined) {
      pages.length = 0
      return
    }
    const length = settingNumber(settings, 'kilobytesPerRequest') * entriesPerKilobyte
    const atMs = Date.now()
    pages.push(Array.from({ length }, (_, at) => ({ key: `session-${at}`, atMs, seen: [at] })))
    if (pages.length > keptPagesLimit) pages.shift()
    for (const page of pages) page.find(entry => entry.atMs < 0)
  }
}
