/** What is measured without the command that starts the server has its heap all the same. */
import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'

const command = new URL('../../bin/otelcontext.js', import.meta.url)

/** Sets V8's flags as the command does, which has them in plain sight. To be called before anything else runs. */
export function growHeapAsTheServer(): void {
  const flags = [...readFileSync(command, 'utf8').matchAll(/^setFlagsFromString\('([^']+)'\)$/gm)]
  if (flags.length === 0) throw new Error(`${command.pathname} sets no flags of V8`)
  for (const [, flag = ''] of flags) setFlagsFromString(flag)
}
