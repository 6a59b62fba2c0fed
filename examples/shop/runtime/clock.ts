/** The clock of the process. It may be off, as the clocks of machines are that lost their time server. */
import type { Control } from './control.ts'
import { settingNumber } from './fields.ts'

/** From now on `Date.now`, which the SDK takes its times from, is ahead as the condition `clock-off` says. */
export function setClockBy(control: Control): void {
  const trueNow = Date.now
  Date.now = () => trueNow() + settingNumber(control.settingsOf('clock-off'), 'aheadMs')
}
