/** `npm run test:crash`: opens what a disk may hold after power was lost at any moment of a recorded run. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { seededChoice } from '../seeded-choice.ts'
import { figuresText, Progress, readCommandLine, say } from './command.ts'
import { CrashDisk, crashKinds } from './crash-disk.ts'
import { itemsOfNote, openImage } from './opened-image.ts'
import { type FileEvent, readTrace, traceWrites } from './write-trace.ts'

const runFile = fileURLToPath(new URL('./recorded-run.ts', import.meta.url))
const sliceImages = 1_000
/** Images of a run without syncs, which have to show losses, or the others show nothing. */
const controlImages = 200
const maxSaid = 10

const { numbers, state } = readCommandLine({
  usage: 'npm run test:crash -- --images 10000 [--seed S] [--state FILE]',
  description:
    'Records the writes and syncs of a real run with strace, builds what a disk may hold after a power loss at any\nmoment (un-synced writes dropped, begun, reordered or torn at 512 bytes), and opens each with the real code: it has\nto open, hold everything acknowledged by then, once, and take more.',
  options: {
    images: { default: 500, help: 'images in all' },
    seed: { default: 1, help: 'seed of the first image; each has the next one' },
  },
})

/** Memory where there is some: each image is written, opened once and removed. */
const base = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'crash-images-'))

async function record(mode: 'FULL' | 'OFF'): Promise<readonly FileEvent[]> {
  const directory = join(base, `recorded-${mode}`)
  mkdirSync(directory)
  const options = { directory, notes: 'acknowledged', traceFile: join(base, `trace-${mode}`) }
  const code = traceWrites({ ...options, command: [process.execPath, runFile, directory, mode] })
  if (code !== 0) throw new Error(`the recorded run ended with ${code}`)
  const events = await readTrace(options)
  rmSync(options.traceFile)
  return events
}

interface Figures {
  readonly images: number
  readonly notOpened: number
  readonly lost: number
  readonly twice: number
  readonly acknowledgedItems: number
}

/** Images of seeds [first, first + count): sorted by their moment, so that the events are gone through once. */
async function tryImages(events: readonly FileEvent[], first: number, count: number): Promise<Figures> {
  const images = Array.from({ length: count }, (_, i) => {
    const choice = seededChoice(first + i)
    const kind = crashKinds[choice.below(crashKinds.length)] ?? 'dropped'
    return { seed: first + i, choice, kind, at: choice.below(events.length + 1) }
  }).sort((a, b) => a.at - b.at || a.seed - b.seed)
  const disk = new CrashDisk()
  const acknowledged: string[] = []
  const figures = { images: 0, notOpened: 0, lost: 0, twice: 0, acknowledgedItems: 0 }
  let applied = 0
  let said = 0
  for (const { seed, choice, kind, at } of images) {
    for (; applied < at; applied++) {
      const event = events[applied]
      if (event === undefined) break
      disk.apply(event)
      if (event.type === 'note') acknowledged.push(...itemsOfNote(event.text))
    }
    const directory = join(base, 'image')
    mkdirSync(directory)
    for (const [file, bytes] of disk.image(kind, choice)) writeFileSync(join(directory, file), bytes)
    // After a crash the shared memory file is whatever was left of it.
    if (choice.chance(0.5))
      for (const name of ['inbox.db-shm', 'store.db-shm'])
        writeFileSync(join(directory, name), Buffer.alloc(32_768, choice.below(256)))
    figures.images++
    figures.acknowledgedItems += acknowledged.length
    try {
      const stored = await openImage(directory)
      const lost = acknowledged.filter(item => !stored.has(item))
      const twice = [...stored].filter(([, times]) => times > 1)
      figures.lost += lost.length
      figures.twice += twice.length
      if (lost.length + twice.length > 0 && said++ < maxSaid)
        say(`  seed ${seed}, ${kind} at event ${at}: lost ${lost.length}, twice ${twice.length}`)
    } catch (error) {
      figures.notOpened++
      const why = error instanceof Error ? error.message : String(error)
      if (said++ < maxSaid) say(`  seed ${seed}, ${kind} at event ${at}: ${why}`)
    }
    rmSync(directory, { recursive: true, force: true })
  }
  return figures
}

const progress = new Progress(state)
let sound = true
try {
  const events = await record('FULL')
  const syncs = events.filter(event => event.type === 'sync ends').length
  const notes = events.filter(event => event.type === 'note').length
  say(`recorded ${events.length} events, ${syncs} of them syncs, ${notes} acknowledgements`)
  const first = numbers['seed'] ?? 0
  const end = first + (numbers['images'] ?? 0)
  for (let from = first; from < end; from += sliceImages) {
    const count = Math.min(sliceImages, end - from)
    const key = `${from}:${count}`
    if (progress.has(key)) continue
    const startedMs = performance.now()
    const figures = { ...(await tryImages(events, from, count)), seconds: 0 }
    figures.seconds = (performance.now() - startedMs) / 1_000
    say(`seeds ${from} to ${from + count - 1}: ${figuresText(figures)}`)
    progress.add(key, figures)
  }
  const totals = progress.totals()
  say(`all: ${figuresText(totals)}`)
  sound = (totals['notOpened'] ?? 0) + (totals['lost'] ?? 0) + (totals['twice'] ?? 0) === 0
  say('the same without syncs, which has to lose:')
  const control = await tryImages(await record('OFF'), first, controlImages)
  say(`control: ${figuresText({ ...control })}`)
  if (control.lost === 0) sound = false
} finally {
  rmSync(base, { recursive: true, force: true })
}
say(sound ? 'crash images: ok' : 'crash images: FAILED')
process.exit(sound ? 0 : 1)
