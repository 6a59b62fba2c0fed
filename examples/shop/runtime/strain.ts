/** Work that a process does beside its requests when it runs into `busy-loop`: a share of one processor core. */
import type { Control } from './control.ts'
import { settingNumber } from './fields.ts'
import { pause } from './pause.ts'

/** How often a process looks whether it has such work, in milliseconds. */
const lookAgainMs = 250

export function strainProcess(control: Control): void {
  const loop = async (): Promise<void> => {
    for (;;) {
      const settings = control.settingsOf('busy-loop')
      if (settings !== undefined) spinFor(settingNumber(settings, 'workMs'))
      await pause(settings === undefined ? lookAgainMs : settingNumber(settings, 'restMs'))
    }
  }
  void loop()
}

function spinFor(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end) Math.sqrt(end)
}
