/** How a process calls another under its conditions: once, one by one, or again and again until it succeeds. */
import type { Control } from './control.ts'
import { settingNumber } from './fields.ts'
import type { Call, Reply } from './http-calls.ts'

type Ask = (service: string, call: Call) => Promise<Reply>

/**
 * `repeat SERVICE` makes every read so many times more, as code does that asks for each item of a list by
 * itself; `retry SERVICE` asks so many times more while it fails, without a pause between.
 */
export async function calling(control: Control, service: string, call: Call, ask: Ask): Promise<Reply> {
  const retry = control.settingsOf(`retry ${service}`)
  const patienceMs = settingNumber(retry, 'timeoutMs')
  const reply = await asking(ask, service, patienceMs > 0 ? { ...call, timeoutMs: patienceMs } : call, {
    moreTries: settingNumber(retry, 'times'),
  })
  const times =
    call.method === undefined ? settingNumber(control.settingsOf(`repeat ${service}`), 'times') : 0
  for (let more = 0; more < times; more++) await ask(service, call)
  return reply
}

async function asking(
  ask: Ask,
  service: string,
  call: Call,
  { moreTries }: { readonly moreTries: number },
): Promise<Reply> {
  for (let left = moreTries; ; left--) {
    try {
      const reply = await ask(service, call)
      if (reply.status < 500 || left <= 0) return reply
    } catch (error) {
      if (left <= 0) throw error
    }
  }
}
