#!/usr/bin/env node
// The published command. Plain JavaScript of the oldest kind that any Node can parse: it must be able to say
// that Node is too old before anything native, or anything newer, is loaded (better-sqlite3 crashes on Node 20).
import { existsSync } from 'node:fs'
import module from 'node:module'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`otelcontext needs Node 22.18 or later; this is ${process.versions.node}\n`)
  process.exit(2)
}
if (typeof module.enableCompileCache === 'function') module.enableCompileCache()

// The package has no sources; a checkout may have a stale `dist` beside them.
const source = new URL('../src/main.ts', import.meta.url)
const entry = existsSync(source) ? source : new URL('../dist/main.js', import.meta.url)
const { main } = await import(entry.href)
process.exitCode = await main(process.argv.slice(2))
