/** Loads the server that STANDBY_DIST names, waits for a line on stdin, and runs it as the published command does. */
import { once } from 'node:events'
import module from 'node:module'

const dist = process.env['STANDBY_DIST']
if (dist === undefined) throw new Error('STANDBY_DIST names no folder')
module.enableCompileCache()
const { main } = (await import(`${dist}main.js`)) as { main: (argv: readonly string[]) => Promise<number> } // src/main.ts
await Promise.all(['lifecycle.js', 'cli/program.js', 'process/serve.js'].map(name => import(dist + name)))
// A killed process writes no cache, so it is written while there is nothing else to do.
module.flushCompileCache()
await once(process.stdin, 'data')
process.stdin.destroy()
process.exitCode = await main(process.argv.slice(2))
